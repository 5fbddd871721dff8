// A group: services and groups that are started in order, stopped in reverse,
// and restarted together, as OTP's supervisors do it. What to do next is the
// plan's business (group-plan.ts), what state follows the table's
// (group-lifecycle.ts); here is what asks them, and acts.
import { EventEmitter } from "eventemitter3";
import { GroupError, type PidpoolError } from "../../errors.ts";
import type { ExitReport } from "../../process/report.ts";
import { EndRecord } from "./end-record.ts";
import { isIdle, transition, wantsUp, type GroupEvent, type GroupState } from "./group-lifecycle.ts";
import { doom, goesWith, isLive, nextStep, withPhase, type Phase, type Strategy } from "./group-plan.ts";
import type { GroupParts } from "./group-parts.ts";
import type { Intensity } from "./intensity.ts";
import { Milestone } from "./milestone.ts";
import type { Service } from "./service.ts";
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
  #phases: readonly Phase[];
  #error: GroupError | undefined;
  #ready = new Milestone();
  #gone = new Milestone();
  /** Which start of a part is under way: what an earlier one comes to is of no interest. */
  #attempt = 0;
  #advancing = false;

  /** Made by {@link ProcessPool.group}. */
  constructor({ name, strategy, intensity, period }: GroupPlan, parts: GroupParts<P>, host: GroupHost) {
    super();
    this.name = name;
    this.strategy = strategy;
    this.#record = new EndRecord({ intensity, period });
    this.parts = parts;
    this.#phases = Array.from(parts, () => "down");
    this.#host = host;
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

  /** Stops all parts in reverse order, one after the other. Resolves when nothing of them is left; never rejects. */
  stop(): Promise<void> {
    if (isIdle(this.#state)) return Promise.resolve();
    this.#gone.renew();
    const { promise } = this.#gone;
    if (this.#happens("stop")) {
      this.#phases = doom(this.#phases);
      this.#ready.miss(this.#failure("was stopped before it was ready"));
      this.#advance();
    }
    return promise;
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
    if (!isLive(this.#phases[index])) return true;
    if (!this.#stands(index, report, undefined)) return true;
    if (this.strategy === "one_for_one") return false;
    this.#hurt(index);
    this.#advanceSoon();
    return true;
  }

  /** For its parts. */
  failed(part: Supervised, error: PidpoolError): void {
    const index = this.parts.indexOf(part);
    if (isLive(this.#phases[index])) this.#lost(index, "down", error);
  }

  #begin(event: "start" | "restart"): Promise<void> {
    const refusal = this.#host.enter(this);
    if (refusal !== undefined) return Promise.reject(refusal);
    const wasUp = wantsUp(this.#state);
    if (event === "restart" || !wasUp) this.#phases = doom(this.#phases);
    if (!wasUp) {
      this.#record.clear();
      this.#error = undefined;
      this.#ready.renew();
    }
    this.#happens(event);
    const { promise } = this.#ready;
    this.#advance();
    return promise;
  }

  /** A part is down as a whole, or could not be started; what is left of it then is stopped. */
  #lost(index: number, phase: "down" | "doomed", error: unknown): void {
    const first = this.#state === "starting" && this.#phases[index] === "starting";
    this.#phases = withPhase(this.#phases, index, phase);
    if (first) {
      const why = error instanceof Error ? error.message : String(error);
      this.#fail(`has failed: ${this.#nameOf(index)} could not be started: ${why}`, error);
    } else if (this.#stands(index, undefined, error)) {
      this.#hurt(index);
    }
    this.#advanceSoon();
  }

  /** What goes with a part that has ended is to be restarted. */
  #hurt(index: number): void {
    this.#phases = doom(this.#phases, (other) => goesWith(this.strategy, index, other));
    this.#happens("hurt");
  }

  /** Counts an end; false where it was one too many. */
  #stands(index: number, report: ExitReport | undefined, error: unknown): boolean {
    const part = this.#nameOf(index);
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
    this.#phases = doom(this.#phases);
    this.#gone.renew();
    this.#happens("fail");
    this.#advanceSoon();
  }

  #failure(what: string, cause?: unknown): GroupError {
    return new GroupError(this.name, `the group ${JSON.stringify(this.name)} ${what}`, this.reports, cause);
  }

  /** Parts call in the midst of their own doings: they are answered before they are told to do something else. */
  #advanceSoon(): void {
    queueMicrotask(() => this.#advance());
  }

  /** Does what is to be done now. Listeners and parts may call back meanwhile: the loop sees what they changed. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    while (this.#step());
    this.#advancing = false;
  }

  /** @returns whether there may be more to do now. */
  #step(): boolean {
    const step = nextStep(this.#phases, wantsUp(this.#state));
    switch (step.act) {
      case "wait":
        return false;
      case "stop":
        this.#stopPart(step.index);
        return true;
      case "start":
        if (this.#phases.every((phase) => phase === "down")) this.#gone.reach();
        this.#startPart(step.index);
        return true;
      case "done":
        return this.#arrive();
    }
  }

  #startPart(index: number): void {
    const attempt = ++this.#attempt;
    const current = (): boolean => this.#phases[index] === "starting" && this.#attempt === attempt;
    this.#phases = withPhase(this.#phases, index, "starting");
    this.#partAt(index)
      .start()
      .then(
        () => {
          if (!current()) return;
          this.#phases = withPhase(this.#phases, index, "up");
          this.#advance();
        },
        (error: unknown) => {
          if (current()) this.#lost(index, "doomed", error);
        },
      );
  }

  #stopPart(index: number): void {
    this.#phases = withPhase(this.#phases, index, "stopping");
    const down = (): void => {
      this.#phases = withPhase(this.#phases, index, "down");
      this.#advance();
    };
    this.#partAt(index).stop().then(down, down);
  }

  /** All parts are where they should be. */
  #arrive(): boolean {
    if (wantsUp(this.#state)) {
      if (this.#state !== "ready") {
        this.#happens("up");
        this.#ready.reach();
      }
    } else if (!isIdle(this.#state)) {
      this.#happens("gone");
      this.#host.leave(this);
      if (this.#error !== undefined) this.#giveUp(this.#error);
      this.#gone.reach();
    }
    return false;
  }

  #giveUp(error: GroupError): void {
    this.#tell(() => this.emit("failed", error));
    this.#ready.miss(error);
    if (this.overseer === undefined) this.#host.error(error);
    else this.overseer.failed(this, error);
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

  #partAt(index: number): Supervised {
    const part = this.parts.at(index);
    if (part === undefined) throw new Error(`the group ${this.name} has no part ${index}`);
    return part;
  }

  #nameOf(index: number): string {
    return this.#partAt(index).name;
  }
}
