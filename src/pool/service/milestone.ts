// A promise that comes again: what is waited for may happen more than once.

/** Something that is reached or missed, and may be set anew then. Nobody has to listen. */
export class Milestone {
  #promise: Promise<void>;
  #resolve: (() => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor() {
    this.#promise = this.#begin();
  }

  get promise(): Promise<void> {
    return this.#promise;
  }

  reach(): void {
    this.#resolve?.();
    this.#resolve = undefined;
  }

  miss(error: unknown): void {
    this.#reject?.(error);
    this.#resolve = undefined;
  }

  /** Sets it anew, unless it is neither reached nor missed yet. */
  renew(): void {
    if (this.#resolve === undefined) this.#promise = this.#begin();
  }

  #begin(): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    promise.catch(() => {});
    return promise;
  }
}
