// Launches that try something: a tiny program of the package's own, which ends
// at once, under the options in question.
import type { Writable } from "node:stream";
import { IsolationError, PidpoolError } from "../errors.ts";
import { LAUNCHER } from "../native/layout.ts";
import { guardianProgram } from "../native/load.ts";
import type { LaunchOptions } from "../process/options.ts";
import type { Process } from "../process/process.ts";
import type { ExitReport } from "../process/report.ts";
import { ProcessPool, supervisorsOf } from "../pool/pool.ts";

/** Milliseconds that one launch may take, and all of them together, shortages included. */
const PATIENCE = 2000;
const ALL_PATIENCE = 4000;

/** The same on a slow or busy machine, as multiples of what the first launch has taken, the start of the pool included. */
const SLOW_PATIENCE = 5;
const ALL_SLOW_PATIENCE = 30;

/** Why a launch failed, and what helps. */
export interface Refusal {
  readonly why: string;
  readonly remedy: string | null;
  readonly code: string | undefined;
}

/** Owns a pool. */
export class Trials {
  readonly #pool = new ProcessPool({ threads: 1, concurrency: 1, isolation: "none", env: {}, cwd: "/" });

  readonly #started = performance.now();

  /** What the first launch has taken. */
  #first: number | undefined;

  /** Runs the program to its end. Its report, or why there is none. Never rejects. */
  async run(options: LaunchOptions = {}): Promise<ExitReport | Refusal> {
    const patience = new AbortController();
    const began = performance.now();
    const first = this.#first ?? 0;
    const left = Math.max(ALL_PATIENCE, ALL_SLOW_PATIENCE * first) - (began - this.#started);
    if (left <= 0) return { why: "not tried: earlier trials took too long", remedy: null, code: undefined };
    const timer = setTimeout(() => patience.abort(), Math.min(left, Math.max(PATIENCE, SLOW_PATIENCE * first)));
    try {
      const { exit } = await this.#pool.run(guardianProgram(), [], {
        ...options,
        stdio: "ignore",
        check: false,
        signal: patience.signal,
      });
      this.#first ??= performance.now() - began;
      return ended(exit);
    } catch (error) {
      return this.#refusal(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Starts the program, which lives until its stdin is closed. Never rejects. */
  async start(): Promise<Process<Writable> | Refusal> {
    try {
      return await this.#pool.spawn(guardianProgram(), [], { stdio: ["pipe", "ignore", "ignore"] });
    } catch (error) {
      return this.#refusal(error);
    }
  }

  /** Whether launches go by legacy clone. */
  get legacy(): boolean {
    return this.#header(LAUNCHER.legacy) === 1;
  }

  set legacy(legacy: boolean) {
    for (const { launcher } of supervisorsOf(this.#pool)?.all ?? []) {
      launcher.region.setHeader(LAUNCHER.legacy, legacy ? 1 : 0);
    }
  }

  /** Whether children enter a pid namespace by a deputy of the launcher. Known after the first. */
  get needsDeputy(): boolean {
    return this.#header(LAUNCHER.needsDeputy) === 1;
  }

  /** Ends all that was started. */
  async end(): Promise<void> {
    await this.#pool.destroy();
  }

  #header(field: number): number | undefined {
    return supervisorsOf(this.#pool)?.all[0]?.launcher.region.header(field);
  }

  #refusal(error: unknown): Refusal {
    if (error instanceof IsolationError) {
      return { why: reasonIn(error), remedy: error.remedy ?? null, code: error.code };
    }
    if (error instanceof PidpoolError && error.code === "ERR_ABORTED") {
      const short = this.#pool.stats().retried > 0;
      return {
        why: `nothing was launched in time${short ? ": fds, processes or memory have run out" : ""}`,
        remedy: short ? "raise the limits of this process, or of its container or service" : null,
        code: error.code,
      };
    }
    const { code, message } = error as { code?: string; message?: string };
    return { why: message ?? String(error), remedy: null, code };
  }
}

/** Whether a trial came to a report. */
export function succeeded(outcome: ExitReport | Refusal): outcome is ExitReport {
  return "status" in outcome;
}

/** The program ends with 0; what else it ends with is a failure of what was tried. */
function ended(exit: ExitReport): ExitReport | Refusal {
  if ((exit.status === "exited" && exit.code === 0) || exit.status === "unknown") return exit;
  if (exit.reason === "aborted") return { why: "a program did not end in time", remedy: null, code: undefined };
  const how = exit.status === "exited" ? `exited with code ${exit.code}` : `was killed by ${exit.signal}`;
  return { why: `a program was launched, but ${how}`, remedy: null, code: undefined };
}

/** The message without the program, which is ours, and without the remedy. */
function reasonIn({ message, remedy }: IsolationError): string {
  const bare = message.replace(/^cannot isolate "[^"]*": /, "");
  return remedy !== undefined && bare.endsWith(`; ${remedy}`) ? bare.slice(0, -remedy.length - 2) : bare;
}
