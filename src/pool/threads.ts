// The threads of one pool's supervisors, kept by piscina. A thread that hosts
// a supervisor has finished its task as far as piscina knows (see
// supervisor-thread.ts), so the balancer has to remember which are taken.
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import type { SupervisorStart } from "./protocol.ts";

/** Heap bounds of a supervisor thread, as worker_threads takes them. */
export interface ThreadLimits {
  readonly maxOldGenerationSizeMb?: number;
  readonly maxYoungGenerationSizeMb?: number;
}

/** Starts supervisor threads, and ends them all. */
export class SupervisorThreads {
  readonly #piscina: Piscina;
  readonly #taken = new Set<number>();
  #lastError: unknown;

  constructor(count: number, limits: ThreadLimits | undefined) {
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL("./supervisor-thread.js", import.meta.url)),
      minThreads: 0,
      // A dead thread counts until its exit was seen, while its successor is already wanted.
      maxThreads: count * 2 + 2,
      idleTimeout: Infinity,
      // Between tasks a thread must be at its event loop, not in Atomics.wait.
      atomics: "disabled",
      recordTiming: false,
      execArgv: [],
      ...(limits === undefined ? {} : { resourceLimits: limits }),
      loadBalancer: (_task, workers) => {
        const free = workers.find(({ id }) => id > 0 && !this.#taken.has(id));
        if (free === undefined) return null;
        this.#taken.add(free.id);
        return free;
      },
    });
    this.#piscina.on("error", (error: unknown) => {
      this.#lastError = error;
    });
  }

  /** Why the last thread died, told once. */
  takeError(): unknown {
    const error = this.#lastError;
    this.#lastError = undefined;
    return error;
  }

  /** Resolves once the supervisor's loop begins. */
  async start(begin: SupervisorStart): Promise<void> {
    await this.#piscina.run(begin, { transferList: [begin.port] });
  }

  /** Every loop must have been told to end. */
  async destroy(): Promise<void> {
    await this.#piscina.destroy();
  }
}
