// A promise that comes again: what is waited for may happen more than once.
import { Deferred } from "./deferred.ts";

/** Something that is reached or missed, and may be set anew then. Nobody has to listen. */
export class Milestone {
  #deferred = new Deferred();
  #settled = false;

  get promise(): Promise<void> {
    return this.#deferred.promise;
  }

  reach(): void {
    this.#settled = true;
    this.#deferred.resolve();
  }

  miss(error: unknown): void {
    this.#settled = true;
    this.#deferred.reject(error);
  }

  /** Sets it anew, unless it is neither reached nor missed yet. */
  renew(): void {
    if (!this.#settled) return;
    this.#settled = false;
    this.#deferred = new Deferred();
  }
}
