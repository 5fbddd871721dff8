// The processes of a warm command: as many as wanted are kept waiting, at the
// pace that the program's health allows.
import { performance } from "node:perf_hooks";
import { ExitError, StartLimitError, quoted } from "../../errors.ts";
import type { RunResult } from "../../process/result.ts";
import type { LaunchSpec } from "../../process/spec.ts";
import { Alarm } from "../alarm.ts";
import { exitErrorMessage } from "../launch-errors.ts";
import {
  afterFailure,
  afterLife,
  afterStart,
  afterSuccess,
  HEALTHY,
  nextStart,
  provenAt,
  type Health,
  type HealthRules,
} from "./health.ts";
import { isSuccess } from "./job.ts";
import { Spare, type WarmHost } from "./spare.ts";

/**
 * Milliseconds. A program's start takes much CPU, which on a machine with few cores would be taken from the job that has
 * just begun: on two, a short one takes half as long again.
 */
const HEAD_START = 20;

/** What a stock tells its warm command. */
export interface StockEvents {
  /** It is time for {@link Stock.keep}. */
  changed(): void;
  /** A process has ended with its job. */
  worked(spare: Spare, result: RunResult): void;
}

/** Owns all processes that are not gone. */
export class Stock {
  readonly #host: WarmHost;
  readonly #spec: LaunchSpec;
  readonly #rules: HealthRules;
  readonly #events: StockEvents;
  readonly #spares = new Set<Spare>();
  /** Oldest first. */
  #waiting: Spare[] = [];
  #starting = 0;
  #lost = 0;
  #health: Health = HEALTHY;
  /** What the last spare that was lost has left. */
  #last: Error | undefined;
  #lastTaken = -Infinity;
  #urgent = false;
  /** For the next {@link Stock.keep}. */
  readonly #alarm = new Alarm(false, () => this.#events.changed());

  /** @param spec That of a process without a job. */
  constructor(host: WarmHost, spec: LaunchSpec, rules: HealthRules, events: StockEvents) {
    this.#host = host;
    this.#spec = spec;
    this.#rules = rules;
    this.#events = events;
  }

  /** Processes that are not gone, those with jobs included. */
  get size(): number {
    return this.#spares.size;
  }

  /** Processes that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Processes that are being started. */
  get starting(): number {
    return this.#starting;
  }

  /** Processes that died without a job, could not take one, or could not be started. */
  get lost(): number {
    return this.#lost;
  }

  get health(): Health["state"] {
    return this.#health.state;
  }

  /** Nothing waits, and nothing will be started for a while. */
  get isBroken(): boolean {
    return this.#health.state === "failed" && this.#waiting.length === 0 && this.#starting === 0;
  }

  /** Why it is broken. */
  broken(): StartLimitError {
    const last = this.#last;
    const wait = Math.max(0, Math.ceil(this.#health.notBefore - performance.now()));
    const why = last === undefined ? "" : `; the last one: ${last.message}`;
    const count = `${quoted(this.#spec.file)} have failed ${this.#health.failures} times`;
    const message = `spares of ${count}, the next is started in ${wait} ms${why}`;
    return new StartLimitError(message, last instanceof ExitError ? last.exit : undefined, last);
  }

  /** Takes out the one that was started first; it may have died since. */
  take(): Spare | undefined {
    const spare = this.#waiting.shift();
    if (spare !== undefined) this.#lastTaken = performance.now();
    return spare;
  }

  /** One that was taken can read nothing: it is dead already, which we are about to hear, or deaf. */
  discard(spare: Spare): void {
    this.#lose(spare);
    spare.retire(this.#spec.killSignal);
  }

  /**
   * Ends what is too much, starts what is missing and may be started now, and calls `changed()` when more may be.
   *
   * @param wanted How many are to wait.
   * @param running Jobs under way.
   * @param urgent Somebody waits for a process: it keeps Node alive while it is started, or until it may be.
   */
  keep(wanted: number, running: number, urgent: boolean): void {
    const now = performance.now();
    const ill = this.#health.state !== "healthy";
    if (ill)
      for (const { startedAt } of this.#spares) this.#health = afterLife(this.#health, this.#rules, startedAt, now);
    while (this.#waiting.length > wanted) this.#waiting.pop()?.retire(this.#spec.killSignal);
    let next = this.#nextStart(running);
    for (; this.#waiting.length + this.#starting < wanted && now >= next; next = this.#nextStart(running))
      this.#start(now);
    this.#setUrgent(urgent);
    if (this.#waiting.length + this.#starting >= wanted) next = Infinity;
    if (ill)
      for (const { startedAt } of this.#spares) next = Math.min(next, provenAt(this.#health, this.#rules, startedAt));
    this.#alarm.set(next);
  }

  /** Ends all at once. */
  destroy(): void {
    this.#waiting = [];
    for (const spare of this.#spares) spare.kill();
  }

  /** While others wait, the next one is not started beside a job that has just begun. */
  #nextStart(running: number): number {
    const inNobodysWay = this.#waiting.length === 0 || running === 0;
    return Math.max(nextStart(this.#health), inNobodysWay ? -Infinity : this.#lastTaken + HEAD_START);
  }

  #start(now: number): void {
    this.#health = afterStart(this.#health, this.#rules, now, Math.random());
    this.#starting++;
    const spare = new Spare(this.#host, this.#spec, {
      began: (begun) => this.#began(begun),
      gone: (lost, result, error) => this.#gone(lost, result, error),
    });
    spare.setRef(this.#urgent);
    this.#spares.add(spare);
  }

  #began(spare: Spare): void {
    this.#starting--;
    if (spare.state === "waiting") {
      spare.setRef(false);
      this.#waiting.push(spare);
    } else {
      // It was asked to leave when there was nobody yet to hear it.
      spare.kill();
    }
    this.#events.changed();
  }

  /** @param error Instead of a result where there was no process. */
  #gone(spare: Spare, result: RunResult | undefined, error: Error | undefined): void {
    this.#spares.delete(spare);
    if (result === undefined) this.#starting--;
    if (spare.state === "working" && result !== undefined) {
      if (isSuccess(result)) this.#health = afterSuccess(this.#health, spare.startedAt);
      this.#events.worked(spare, result);
    } else if (spare.state !== "leaving") {
      this.#waiting = this.#waiting.filter((other) => other !== spare);
      this.#lose(spare);
    }
    if (spare.isLost)
      this.#last = result === undefined ? error : new ExitError(exitErrorMessage(result, this.#spec.encoding), result);
    this.#events.changed();
  }

  #lose(spare: Spare): void {
    spare.isLost = true;
    this.#lost++;
    this.#health = afterFailure(this.#health, this.#rules, spare.startedAt, performance.now(), Math.random());
  }

  #setUrgent(urgent: boolean): void {
    if (this.#urgent === urgent) return;
    this.#urgent = urgent;
    this.#alarm.setRef(urgent);
    for (const spare of this.#spares) if (spare.state === "starting") spare.setRef(urgent);
  }
}
