// What `service.ready` waits for: replicas that were asked to start, until each
// has been ready.
import { Milestone } from "./milestone.ts";

export class Arrival<T> {
  readonly #missing = new Set<T>();
  readonly #all = new Milestone();

  /** Pending until the first ones are expected. Settled anew each time. */
  get promise(): Promise<void> {
    return this.#all.promise;
  }

  /** Waits for these, too. */
  expect(replicas: readonly T[]): Promise<void> {
    this.#all.renew();
    for (const replica of replicas) this.#missing.add(replica);
    if (this.#missing.size === 0) this.#all.reach();
    return this.#all.promise;
  }

  /** It is ready, or not waited for any more. */
  came(replica: T): void {
    if (this.#missing.delete(replica) && this.#missing.size === 0) this.#all.reach();
  }

  /** Some will not come. */
  fail(error: unknown): void {
    this.#missing.clear();
    this.#all.miss(error);
  }
}
