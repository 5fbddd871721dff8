// What scenarios ask of the C program: the kernel's own cost of what pidpool
// does. How each way works is told at the head of its C file.
import type { User } from "../user.ts";
import { compileFloor, type FloorProgram } from "./compile.ts";

/** fork, vfork and posix_spawn with wait4(-1); clone with a pidfd, also with a shared fd table; vfork with io_uring. */
export type PlainWay = "fork" | "wait4" | "posix_spawn" | "pidfd" | "files" | "uring";

/** The way "files" with namespaces that the children share, or that each has for itself. */
export type IsolatedWay =
  | "shared"
  | "contained"
  | "contained by a helper"
  | "private"
  | "user"
  | "network"
  | "pid"
  | "mount"
  | "ipc"
  | "uts"
  | "cgroup"
  | "time";

export type FloorWay = PlainWay | IsolatedWay;

/** epoll and waitid(P_PIDFD); a SIGCHLD handler and waitpid over the whole list; wait4(-1). */
export type StormWay = "pidfd" | "sigchld" | "wait4";

/** One measurement of full speed. */
export interface FloorChurn {
  readonly threads: number;
  readonly inFlight: number;
  readonly launches: number;
  readonly program: string;
  readonly args?: readonly string[];
  /** Touched before; none where it is left out. */
  readonly megabytes?: number;
  /** Who launches; whoever runs the benchmark where it is left out. */
  readonly user?: User | undefined;
}

/** In microseconds. */
export interface FloorLatency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Many exits at once. */
export interface FloorStorm {
  /** From the release of the children to the last reap. */
  readonly milliseconds: number;
  /** CPU time of the reaping thread, in microseconds. */
  readonly cpuPerExit: number;
  readonly batches: number;
  readonly largestBatch: number;
}

/** The compiled program. */
export class Floors {
  readonly #run: FloorProgram;
  readonly #missing: Readonly<Partial<Record<FloorWay, string>>>;

  private constructor(run: FloorProgram, missing: Readonly<Partial<Record<FloorWay, string>>>) {
    this.#run = run;
    this.#missing = missing;
  }

  static async compile(): Promise<Floors> {
    const run = compileFloor();
    return new Floors(run, JSON.parse(await run([0, "ways"])) as Partial<Record<FloorWay, string>>);
  }

  /** Those of them that this kernel has, and for the notes, why the others are missing. */
  available(ways: readonly FloorWay[]): { readonly present: readonly FloorWay[]; readonly missing: readonly string[] } {
    return {
      present: ways.filter((way) => this.#missing[way] === undefined),
      missing: ways.flatMap((way) => {
        const reason = this.#missing[way];
        return reason === undefined ? [] : [`C, ${way}: ${reason}`];
      }),
    };
  }

  /** Microseconds a child. */
  async churn(way: FloorWay, order: FloorChurn): Promise<number> {
    const { threads, inFlight, launches, program, args = [], megabytes = 0, user } = order;
    return Number(await this.#run([megabytes, "churn", way, threads, inFlight, launches, program, ...args], user));
  }

  /** Waits until the kernel has removed the namespaces that children have left; milliseconds. */
  async settle(): Promise<number> {
    return Number(await this.#run([0, "settle"]));
  }

  /** Lifecycles one at a time, each timed by itself. */
  async latency(way: FloorWay, launches: number, program: string, megabytes = 0): Promise<FloorLatency> {
    return JSON.parse(await this.#run([megabytes, "latency", way, launches, program])) as FloorLatency;
  }

  /** The program has to wait for the end of its stdin: children/hold.c. */
  async storm(way: StormWay, count: number, program: string): Promise<FloorStorm> {
    return JSON.parse(await this.#run([0, "storm", way, count, program])) as FloorStorm;
  }

  /** Runs a program so many times, one after the other, and keeps what it wrote to stdout; bytes a millisecond. */
  async capture(times: number, program: string, args: readonly string[]): Promise<number> {
    const output = await this.#run([0, "capture", times, program, ...args]);
    const { bytes, milliseconds } = JSON.parse(output) as { bytes: number; milliseconds: number };
    return bytes / milliseconds;
  }
}
