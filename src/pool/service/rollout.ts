// A rolling restart: which replica is replaced next. Driven by the changes of
// their states.
import { Deferred } from "./deferred.ts";
import type { ReplicaState } from "./lifecycle.ts";

/** What a rollout needs of a replica. */
export interface Replaceable {
  readonly state: ReplicaState;
  /** Is to be replaced. */
  outdated: boolean;
  /** Ends its process, if there is one, and starts another. */
  restart(): void;
}

/** The rollout of one service, if one is under way. */
export class Rollout {
  readonly #replicas: () => readonly Replaceable[];
  #done: Deferred | undefined;
  #advancing = false;

  constructor(replicas: () => readonly Replaceable[]) {
    this.#replicas = replicas;
  }

  /**
   * Replaces all, and again those that a rollout under way has replaced already. Resolves when all are ready;
   * rejects once {@link abandon} is called.
   */
  begin(): Promise<void> {
    this.#done ??= new Deferred();
    const { promise } = this.#done;
    for (const replica of this.#replicas()) replica.outdated = true;
    // Those that are not ready can be replaced at once: there is nothing to lose.
    for (const replica of this.#replicas()) {
      if (replica.outdated && replica.state !== "ready") replace(replica);
    }
    this.advance();
    return promise;
  }

  /** Takes the next step, if it is time for it. */
  advance(): void {
    if (this.#done === undefined || this.#advancing) return;
    this.#advancing = true;
    try {
      // One at a time, and only while all others are ready.
      while (this.#replicas().every(({ state }) => state === "ready")) {
        const next = this.#replicas().find(({ outdated }) => outdated);
        if (next === undefined) {
          this.#done.resolve();
          this.#done = undefined;
          return;
        }
        replace(next);
      }
    } finally {
      this.#advancing = false;
    }
  }

  /** It cannot be finished; those that were not replaced yet stay as they are. */
  abandon(error: unknown): void {
    for (const replica of this.#replicas()) replica.outdated = false;
    this.#done?.reject(error);
    this.#done = undefined;
  }
}

function replace(replica: Replaceable): void {
  replica.outdated = false;
  replica.restart();
}
