// One thread for one supervisor's loop, started and ended through piscina. A
// thread that dies is not started again: its successor has a host of its own,
// since piscina starts no second worker after one that failed to load.
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { hasRoomForFds } from "../native/syscalls.ts";
import type { SupervisorStart } from "./protocol.ts";

/** Heap bounds of a supervisor thread, as worker_threads takes them. */
export interface ThreadLimits {
  readonly maxOldGenerationSizeMb?: number;
  readonly maxYoungGenerationSizeMb?: number;
}

/** Its event loop has some five; modules are read several at a time. */
const ENOUGH_FDS = 24;

/** Owns a thread. */
export class ThreadHost {
  readonly #piscina: Piscina;
  /** Settled by the end of the thread, where that comes before its loop has begun. */
  readonly #gone: Promise<never>;
  #cause: unknown;
  #begun = false;
  #stillborn = false;
  #started: Promise<void> | undefined;

  constructor(limits: ThreadLimits | undefined) {
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL("./supervisor-thread.js", import.meta.url)),
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Infinity,
      // Between tasks a thread must be at its event loop, not in Atomics.wait.
      atomics: "disabled",
      recordTiming: false,
      execArgv: [],
      ...(limits === undefined ? {} : { resourceLimits: limits }),
    });
    this.#piscina.on("error", (error: unknown) => {
      this.#cause = error;
    });
    this.#gone = new Promise((_, reject) => {
      // The error of a worker is told in the same turn, after this.
      this.#piscina.once("workerDestroy", () => queueMicrotask(() => reject(reasonOf(this.#cause))));
    });
    this.#gone.catch(() => undefined);
  }

  /** Why the thread died, where it said so. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Whether its loop has begun, as far as is known. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * Resolves once the supervisor's loop begins; rejects where the thread cannot be started or cannot load what it
   * runs, of which piscina's promise never hears: its task is still queued then.
   */
  start(begin: SupervisorStart): Promise<void> {
    const started = this.#run(begin);
    this.#started = started.catch(() => undefined);
    return started;
  }

  async #run(begin: SupervisorStart): Promise<void> {
    // A worker that runs out of fds while it loads its modules leaves some of them open for ever.
    if (!hasRoomForFds(ENOUGH_FDS)) throw new Error(`EMFILE: a thread may need ${ENOUGH_FDS} fds to start`);
    let task: Promise<unknown>;
    try {
      task = this.#piscina.run(begin, { transferList: [begin.port] });
    } catch (error) {
      // No thread could be made, but the task is queued: its end would reject a promise that nobody has.
      this.#stillborn = true;
      throw error;
    }
    await Promise.race([task, this.#gone]);
    this.#begun = true;
  }

  /**
   * Resolves when the thread has ended. Its loop must have been told to end, or be over. A worker that is ended while it
   * loads its modules leaves some of them open for ever, so that is waited for.
   */
  async destroy(): Promise<void> {
    await this.#started;
    if (!this.#stillborn) await this.#piscina.destroy();
  }
}

function reasonOf(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error("it ended before it had begun", { cause });
}
