// What users see of a replica.
import type { ReplicaState } from "./lifecycle.ts";
import type { ServiceEnd } from "./end.ts";

/** One of the processes of a service, whatever became of it; read-only and always current. */
export interface Replica {
  /** From 0 on; its PIDPOOL_REPLICA. */
  readonly index: number;
  readonly state: ReplicaState;
  /** null while no program runs. */
  readonly pid: number | null;
  /** How often it was started again after an end of its own. */
  readonly restarts: number;
  /** When it became ready, in milliseconds since the epoch; null while it is not. */
  readonly readySince: number | null;
  /** The last line that it said of itself by STATUS=; null if none. */
  readonly status: string | null;
  /** The end of its last process; null if none has ended. */
  readonly lastEnd: ServiceEnd | null;
}

/** Shows no more of what it is a view of. */
export class ReplicaView implements Replica {
  readonly #of: Replica;

  constructor(of: Replica) {
    this.#of = of;
  }

  get index(): number {
    return this.#of.index;
  }

  get state(): ReplicaState {
    return this.#of.state;
  }

  get pid(): number | null {
    return this.#of.pid;
  }

  get restarts(): number {
    return this.#of.restarts;
  }

  get readySince(): number | null {
    return this.#of.readySince;
  }

  get status(): string | null {
    return this.#of.status;
  }

  get lastEnd(): ServiceEnd | null {
    return this.#of.lastEnd;
  }
}
