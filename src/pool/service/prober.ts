// Asks again and again how something is: one probe at a time, each bounded.
import { performance } from "node:perf_hooks";
import { Alarm } from "../alarm.ts";

/** One probe: resolves to whether all is well. May throw, reject, or never end. */
export type Ask = (signal: AbortSignal) => Promise<boolean | void> | boolean | void;

/** Milliseconds: from the end of one probe to the next, and for one probe. */
export interface ProbeTimes {
  readonly interval: number;
  readonly timeout: number;
}

/** Does not keep Node alive. */
export class Prober {
  readonly #ask: Ask;
  readonly #times: ProbeTimes;
  readonly #answered: (well: boolean, error: unknown) => void;
  readonly #alarm = new Alarm(false, () => this.#ring());
  /** The probe under way that may still answer in time. */
  #current: AbortController | undefined;
  /** A probe that has not ended, in time or not. */
  #busy = false;
  #stopped = false;

  /** @param answered Hears of every probe; may call {@link stop}. */
  constructor(ask: Ask, times: ProbeTimes, answered: (well: boolean, error: unknown) => void) {
    this.#ask = ask;
    this.#times = times;
    this.#answered = answered;
  }

  /** The first probe comes after `delay` milliseconds. */
  start(delay: number): void {
    this.#alarm.set(performance.now() + delay);
  }

  /** Aborts the probe under way; nothing is heard any more. */
  stop(): void {
    this.#stopped = true;
    this.#alarm.clear();
    const current = this.#current;
    this.#current = undefined;
    current?.abort();
  }

  #ring(): void {
    if (this.#current !== undefined) {
      const overdue = new DOMException(`no answer within ${this.#times.timeout} ms`, "TimeoutError");
      const current = this.#current;
      this.#answer(current, false, overdue);
      current.abort(overdue);
    } else if (this.#busy) {
      // It ignores its signal: no second one beside it, but it is not well either.
      this.#next(false, new DOMException("an earlier probe has not ended", "TimeoutError"));
    } else {
      void this.#probe();
    }
  }

  async #probe(): Promise<void> {
    const current = new AbortController();
    this.#current = current;
    this.#busy = true;
    this.#alarm.set(performance.now() + this.#times.timeout);
    let well = false;
    let error: unknown;
    try {
      well = (await this.#ask(current.signal)) !== false;
    } catch (thrown) {
      error = thrown;
    }
    this.#busy = false;
    this.#answer(current, well, error);
  }

  #answer(probe: AbortController, well: boolean, error: unknown): void {
    if (this.#current !== probe) return;
    this.#current = undefined;
    this.#next(well, error);
  }

  #next(well: boolean, error: unknown): void {
    if (this.#stopped) return;
    this.#alarm.set(performance.now() + this.#times.interval);
    this.#answered(well, error);
  }
}
