// A group: services and groups that are started in order, stopped in reverse,
// and restarted together, as OTP's supervisors do it. What to do next is the
// plan's business (group-plan.ts), what state follows the table's
// (group-lifecycle.ts); here is what asks them, and acts.
import { EventEmitter } from "eventemitter3";
import { GroupError, type PidpoolError, quoted } from "../../errors.ts";
import type { ExitReport } from "../../process/report.ts";
import { switches } from "../../process/validate.ts";
import { EndRecord } from "./end-record.ts";
import { isIdle, transition, wantsUp, type GroupEvent, type GroupState } from "./group-lifecycle.ts";
import { goesWith, type Strategy } from "./group-plan.ts";
import type { GroupParts } from "./group-parts.ts";
import type { Intensity } from "./intensity.ts";
import { Milestone } from "./milestone.ts";
import { PartRunner } from "./part-runner.ts";
import type { Service, StopOptions } from "./service.ts";
import type { Overseer, Supervised } from "./supervised.ts";

/** An end that a group answers by a restart. */
export interface GroupRestart {
  /** Name of the part that has ended. */
  readonly part: string;
  /** Names of all parts that are restarted for it, in start order. */
  readonly parts: readonly string[];
  /** How its process ended, where that is why. */
  readonly report: ExitReport | undefined;
  /** Why the part failed, where it is down as a whole. */
  readonly error: unknown;
}

/** Events of a {@link Group}. */
export interface GroupEvents {
  state: (state: GroupState, previous: GroupState) => void;
  /** A part has ended and is restarted, with those that go with it. */
  restart: (restart: GroupRestart) => void;
  /** It has given up; all its parts are stopped. Comes before whatever is above hears of it. */
  failed: (error: GroupError) => void;
}

/** What a group is, its options resolved. */
export interface GroupPlan extends Intensity {
  /** Its path: names of the groups that it is in, and its own, joined by "/". */
  readonly name: string;
  readonly strategy: Strategy;
}

/** What a group needs of its pool. */
export interface GroupHost {
  /** A clock in milliseconds that never goes back. */
  now(): number;
  /** The group is not idle any more. Returns why it cannot be: the pool is closed, or another one has its name. */
  enter(group: Supervised): PidpoolError | undefined;
  /** It is idle. */
  leave(group: Supervised): void;
  /** A group that nothing is above has failed. */
  error(error: PidpoolError): void;
}

/**
 * Parts that live together: started in order, each once the one before it is ready; stopped in reverse order;
 * restarted by the group's strategy, more than `intensity` times in `period` milliseconds never.
 */
export class Group<P extends Supervised = Service> extends EventEmitter<GroupEvents> implements Supervised, Overseer {
  readonly name: string;
  readonly strategy: Strategy;
  /** In start order; `get("web")` and `get("backend/db")` find one by name. */
  readonly parts: GroupParts<P>;
  /** What hears of its failure; the pool where nothing does. */
  overseer: Overseer | undefined;
  readonly #record: EndRecord;
  readonly #host: GroupHost;
  #state: GroupState = "stopped";
  readonly #runner: PartRunner;
  #error: GroupError | undefined;
  /** What stop() has said of them. */
  #keepSockets = false;
  #ready = new Milestone();
  #gone = new Milestone();

  /** Made by {@link ProcessPool.group}. */
  constructor({ name, strategy, intensity, period }: GroupPlan, parts: GroupParts<P>, host: GroupHost) {
    super();
    this.name = name;
    this.strategy = strategy;
    this.#record = new EndRecord({ intensity, period });
    this.parts = parts;
    this.#host = host;
    this.#runner = new PartRunner(parts, {
      wantsUp: () => wantsUp(this.#state),
      comesBack: () => wantsUp(this.#state) || this.#keepSockets,
      unstartable: (index, error) => this.#unstartable(index, error),
      empty: () => this.#gone.reach(),
      arrived: () => this.#arrived(),
    });
    for (const part of parts) part.overseer = this;
  }

  /**
   * `"ready"` once all parts were ready. It stays so while a service under `one_for_one` restarts its own process.
   * Of the others, `"failing"` and `"failed"` mean that it has given up.
   */
  get state(): GroupState {
    return this.#state;
  }

  /** Resolves once all parts are ready, for the first time or again; rejects where the group fails or is stopped first. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Why it failed; undefined unless it has. */
  get error(): GroupError | undefined {
    return this.#error;
  }

  /** How its services' processes ended that were to be restarted: the last ten since it was started, oldest first. */
  get reports(): readonly ExitReport[] {
    return this.#record.reports;
  }

  /**
   * Starts all parts in order, with no ends counted. While it stops, that is waited for; while it is up or on its way,
   * nothing happens.
   *
   * @returns as {@link ready}.
   */
  start(): Promise<void> {
    return this.#begin("start");
  }

  /**
   * Stops all parts in reverse order and starts them in order. Does not count as an end.
   *
   * @returns as {@link ready}.
   */
  restart(): Promise<void> {
    return this.#begin("restart");
  }

  /**
   * Stops all parts in reverse order, one after the other. Resolves when nothing of them is left, and the sockets of
   * `listen` are closed.
   *
   * @throws InvalidOptionError, and nothing else.
   */
  async stop(options?: StopOptions): Promise<void> {
    const { keepSockets } = switches("options", options, ["keepSockets"]);
    this.#keepSockets = keepSockets;
    if (isIdle(this.#state)) {
      if (!keepSockets) this.closeSockets();
      return;
    }
    this.#gone.renew();
    const { promise } = this.#gone;
    if (this.#happens("stop")) {
      this.#runner.doom();
      this.#ready.miss(this.#failure("was stopped before it was ready"));
      this.#runner.advance();
    }
    await promise;
  }

  /** Closes the sockets that parts have kept because they were to be started again. Those of live parts stay. */
  closeSockets(): void {
    for (const part of this.parts) part.closeSockets();
  }

  /** As {@link stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** For its parts. */
  ended(part: Supervised, report: ExitReport | undefined): boolean {
    const index = this.parts.indexOf(part);
    // One that somebody has started by hand in a group that is down takes care of itself.
    if (isIdle(this.#state)) return false;
    if (!this.#runner.isLive(index)) return true;
    if (!this.#stands(part, index, report, undefined)) return true;
    if (this.strategy === "one_for_one") return false;
    this.#hurt(index);
    return true;
  }

  /** For its parts. */
  failed(part: Supervised, error: PidpoolError): void {
    const index = this.parts.indexOf(part);
    if (!this.#runner.isLive(index)) return;
    const starting = this.#runner.isStarting(index);
    this.#runner.fell(index);
    if (starting) this.#unstartable(index, error);
    else if (this.#stands(part, index, undefined, error)) this.#hurt(index);
  }

  #begin(event: "start" | "restart"): Promise<void> {
    const refusal = this.#host.enter(this);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#keepSockets = false;
    const wasUp = wantsUp(this.#state);
    if (event === "restart" || !wasUp) this.#runner.doom();
    if (!wasUp) {
      this.#record.clear();
      this.#error = undefined;
      this.#ready.renew();
    }
    this.#happens(event);
    const { promise } = this.#ready;
    this.#runner.advance();
    return promise;
  }

  /** Where the group has never been ready, that is a failure of its own start; later it is one more end. */
  #unstartable(index: number, error: unknown): void {
    const part = this.parts.at(index);
    if (part === undefined) return;
    if (this.#state === "starting") {
      const why = error instanceof Error ? error.message : String(error);
      this.#fail(`has failed: ${part.name} could not be started: ${why}`, error);
    } else if (this.#stands(part, index, undefined, error)) {
      this.#hurt(index);
    }
  }

  /** What goes with a part that has ended is to be restarted. */
  #hurt(index: number): void {
    this.#runner.doom((other) => goesWith(this.strategy, index, other));
    this.#happens("hurt");
    this.#runner.advanceSoon();
  }

  /** Counts an end; false where it was one too many. */
  #stands({ name: part }: Supervised, index: number, report: ExitReport | undefined, error: unknown): boolean {
    const tooMany = this.#record.add(part, this.#host.now(), report, error);
    if (tooMany !== undefined) {
      this.#fail(`has failed: ${tooMany}`, error);
      return false;
    }
    const parts = Array.from(this.parts, ({ name }) => name).filter((_, other) =>
      goesWith(this.strategy, index, other),
    );
    this.#tell(() => this.emit("restart", { part, parts, report, error }));
    return true;
  }

  #fail(what: string, cause: unknown): void {
    this.#error = this.#failure(what, cause);
    this.#runner.doom();
    this.#happens("fail");
    this.#runner.advanceSoon();
  }

  #failure(what: string, cause?: unknown): GroupError {
    return new GroupError(this.name, `the group ${quoted(this.name)} ${what}`, this.reports, cause);
  }

  /** All parts are where they should be. */
  #arrived(): void {
    if (wantsUp(this.#state)) {
      if (this.#state !== "ready") {
        this.#happens("up");
        this.#ready.reach();
      }
    } else if (!isIdle(this.#state)) {
      this.#happens("gone");
      if (!this.#keepSockets) this.closeSockets();
      this.#host.leave(this);
      if (this.#error !== undefined) this.#giveUp(this.#error);
      this.#gone.reach();
    }
  }

  #giveUp(error: GroupError): void {
    this.#tell(() => this.emit("failed", error));
    this.#ready.miss(error);
    const { overseer } = this;
    if (overseer === undefined) this.#tell(() => this.#host.error(error));
    else overseer.failed(this, error);
  }

  /** @returns whether the state has changed. */
  #happens(event: GroupEvent): boolean {
    const previous = this.#state;
    const next = transition(previous, event);
    if (next === previous) return false;
    this.#state = next;
    if (previous === "ready" && next === "restarting") this.#ready.renew();
    this.#tell(() => this.emit("state", next, previous));
    return true;
  }

  /** Listeners may call the group, and throw: never in the midst of a change. */
  #tell(emit: () => void): void {
    queueMicrotask(emit);
  }
}
