// The options of a warm command: defaults and checks.
import { InvalidOptionError } from "../../errors.ts";
import { bare } from "../../process/bare.ts";
import type { Input, Signal } from "../../process/options.ts";
import { snapshot, within } from "../../process/snapshot.ts";
import { isFile } from "../../process/stdio.ts";
import { bag, integer, plain } from "../../process/validate.ts";
import { resolveBackoff, resolveStartLimit } from "../pace.ts";
import type { HealthRules } from "./health.ts";

/** Options of {@link Command.warm}. */
export interface WarmOptions {
  /** Processes that are kept ready, 1–1024. Default: 4. */
  spares?: number | undefined;
  /**
   * Jobs that run at the same time at most. They take no places under the pool's `concurrency`. Default: as many as the
   * pool's `concurrency` says.
   */
  concurrency?: number | undefined;
  /** Jobs that may wait; beyond it `run()` rejects with ERR_QUEUE_FULL. Default: Infinity. */
  maxQueue?: number | undefined;
  /** How long after the death of a spare the next process is started. */
  backoff?: WarmBackoff | undefined;
  /** When the program counts as broken. */
  startLimit?: WarmStartLimit | undefined;
}

/**
 * Delays between starts while spares die. Spares that were started together count as one. The program is known to be
 * well again, and delays begin anew, when a process that was started since has lived for `resetAfter`, or has ended its
 * job with exit code 0.
 */
export interface WarmBackoff {
  /** Milliseconds after the first death. Default: 100. */
  readonly initial?: number | undefined;
  /** How many times as long each further one is. Default: 2. */
  readonly factor?: number | undefined;
  /** Milliseconds of the longest one, and until a program that has failed is tried again. Default: 30 000. */
  readonly max?: number | undefined;
  /** The share of a delay that chance may take off, 0–1. Default: 0.2. */
  readonly jitter?: number | undefined;
  /** Default: 10 000 ms; Infinity for never. */
  readonly resetAfter?: number | undefined;
}

/** So many failures within so many milliseconds, and jobs are rejected with ERR_START_LIMIT. */
export interface WarmStartLimit {
  /** Default: 5; Infinity for never. */
  readonly burst?: number | undefined;
  /** Default: 10 000 ms. */
  readonly interval?: number | undefined;
}

/** Options of {@link WarmCommand.run}: those that can still be chosen for a process that was started before. */
export interface WarmRunOptions {
  /** Written to the process's stdin, which then ends. Default: the command's own, else nothing. */
  input?: Exclude<Input, { readonly file: string | URL }> | undefined;
  /** Milliseconds after the begin of the *job* at which its process is ended with `killSignal`. Default: the command's. */
  timeout?: number | undefined;
  /** Ends the job's process; a job that still waits rejects with ERR_ABORTED. Default: the command's. */
  signal?: AbortSignal | undefined;
  /** Default: the command's. */
  killSignal?: Signal | undefined;
  /** Default: the command's. */
  killAfter?: number | undefined;
  /** Default: the command's. */
  outputGrace?: number | undefined;
  /** Default: the command's. */
  check?: boolean | undefined;
}

/** The same, resolved. */
export interface WarmRules extends HealthRules {
  readonly spares: number;
  readonly concurrency: number;
  readonly maxQueue: number;
}

const KEYS = new Set(["spares", "concurrency", "maxQueue", "backoff", "startLimit"]);
const LIMIT_KEYS = new Set(["burst", "interval"]);
const RUN_KEYS = new Set(["input", "timeout", "signal", "killSignal", "killAfter", "outputGrace", "check"]);
const MAX_SPARES = 1024;
const MAX_CONCURRENCY = 1 << 20;

/** @throws InvalidOptionError */
export function resolveWarmOptions(options: unknown, concurrency: number): WarmRules {
  const given = bag("options", snapshot("options", options), KEYS);
  return Object.freeze({
    spares: integer("spares", given["spares"] ?? 4, 1, MAX_SPARES),
    concurrency: count("concurrency", given["concurrency"] ?? concurrency, 1, MAX_CONCURRENCY),
    maxQueue: count("maxQueue", given["maxQueue"] ?? Infinity, 0, Number.MAX_SAFE_INTEGER),
    backoff: resolveBackoff("backoff", given["backoff"], 1),
    startLimit: resolveStartLimit("startLimit", bag("startLimit", given["startLimit"], LIMIT_KEYS)),
  });
}

/**
 * Reads them once, and refuses what cannot be chosen any more.
 *
 * @throws InvalidOptionError
 */
export function takeRunOptions(options: unknown): WarmRunOptions {
  const given = bare(plain("options", snapshot("options", options)));
  for (const [key, value] of Object.entries(given)) {
    if (RUN_KEYS.has(key) || value === undefined) continue;
    const allowed = [...RUN_KEYS].join(", ");
    throw new InvalidOptionError(
      within("options", key),
      value,
      `the process was started before its job, which can only have ${allowed}`,
    );
  }
  const { input } = given;
  if (isFile(input))
    throw new InvalidOptionError("input", input, "the process has its stdin already: give fs.createReadStream(file)");
  return given;
}

function count(name: string, value: unknown, min: number, max: number): number {
  return value === Infinity ? Infinity : integer(name, value, min, max);
}
