// What happens in one turn of the event loop.

/** Counts how many of something happen in a turn, and how much this thread works in it. */
export class Turns {
  /** Turns in which something happened. */
  number = 0;
  /** The most that happened in one of them. */
  largest = 0;
  /** The most work in one of them, in milliseconds of CPU time. */
  longest = 0;
  readonly #clock: () => number;
  #mark: number;
  #inThis = 0;

  /** @param clock CPU time of this thread; what it does not spend asleep belongs to the next turn that counts. */
  constructor(clock: () => number) {
    this.#clock = clock;
    this.#mark = clock();
  }

  count(): void {
    if (this.#inThis++ > 0) return;
    this.number++;
    setImmediate(() => {
      const now = this.#clock();
      this.longest = Math.max(this.longest, now - this.#mark);
      this.largest = Math.max(this.largest, this.#inThis);
      this.#mark = now;
      this.#inThis = 0;
    });
  }

  /** Resolves once the turn that is under way has been counted. */
  end(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}
