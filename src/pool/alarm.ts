// A timer that is never early: setTimeout counts whole milliseconds from when
// its turn of the event loop began, and so may fire up to one too soon.
import { performance } from "node:perf_hooks";

/** setTimeout's bound: 2^31 - 1 ms, 24.8 days. Of more it makes 1 ms. */
export const MAX_MS = 0x7fffffff;

/** One point in time to wait for, on the clock of performance.now(). */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = 0;
  #refed: boolean;

  /** @param refed Whether it keeps Node alive while it is set. */
  constructor(refed: boolean, ring: () => void) {
    this.#refed = refed;
    this.#ring = ring;
  }

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** When it rings. */
  get at(): number {
    return this.#at;
  }

  /** Replaces what was set. Infinity: never. */
  set(at: number): void {
    this.clear();
    this.#at = at;
    if (at !== Infinity) this.#wait(at - performance.now());
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  setRef(refed: boolean): void {
    this.#refed = refed;
    if (refed) this.#timer?.ref();
    else this.#timer?.unref();
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(this.#look, Math.min(MAX_MS, Math.max(0, Math.ceil(ms))));
    if (!this.#refed) this.#timer.unref();
  }

  readonly #look = (): void => {
    const left = this.#at - performance.now();
    if (left > 0) {
      this.#wait(left);
      return;
    }
    this.#timer = undefined;
    this.#ring();
  };
}
