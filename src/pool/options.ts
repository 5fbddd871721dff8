// The options of a pool: defaults and checks.
import { availableParallelism } from "node:os";
import { bare } from "../process/bare.ts";
import { copyEnv } from "../process/env.ts";
import type { CommonOptions, Encoding, LaunchOptions, StdioOption } from "../process/options.ts";
import { COMMON_OPTION_KEYS, resolveSpec } from "../process/spec.ts";
import { snapshot } from "../process/snapshot.ts";
import { amount, bag, integer } from "../process/validate.ts";
import { InvalidOptionError } from "../errors.ts";

/** Options of {@link ProcessPool.run}. */
export type RunOptions<S extends StdioOption = StdioOption, E extends Encoding = Encoding> = Omit<
  LaunchOptions,
  "stdio" | "encoding"
> & {
  stdio?: S | undefined;
  encoding?: E | undefined;
};

/** Options of {@link ProcessPool.spawn}. */
export type SpawnOptions<S extends StdioOption = StdioOption> = Omit<LaunchOptions, "stdio"> & {
  stdio?: S | undefined;
};

/** Options of a {@link ProcessPool}: its own, and defaults for its children. */
export interface PoolOptions extends CommonOptions {
  /** Supervisor threads, 1–64; each is started when it is first needed. Default: min(2, availableParallelism()). */
  threads?: number | undefined;
  /** One-shot children (`run()`) alive at most. Default: availableParallelism(). */
  concurrency?: number | undefined;
  /** Runs that may wait; beyond it `run()` rejects with ERR_QUEUE_FULL. Default: Infinity. */
  maxQueue?: number | undefined;
}

/** The same, resolved. */
export interface FilledPoolOptions {
  readonly threads: number;
  readonly concurrency: number;
  readonly maxQueue: number;
  /** Defaults for children. */
  readonly defaults: Readonly<LaunchOptions>;
}

const KEYS: ReadonlySet<string> = new Set(["threads", "concurrency", "maxQueue", ...COMMON_OPTION_KEYS]);

/** @throws InvalidOptionError */
export function resolvePoolOptions(options: unknown): FilledPoolOptions {
  const given = bag("options", snapshot("options", options), KEYS);
  const defaults: Record<string, unknown> = bare({});
  for (const key of COMMON_OPTION_KEYS) if (given[key] !== undefined) defaults[key] = given[key];
  if (defaults["env"] !== undefined) defaults["env"] = copyEnv(defaults["env"]);
  // Wrong defaults are the pool's fault, not that of the first child.
  resolveSpec("run", "true", [], defaults);
  const cores = availableParallelism();
  const concurrency = amount("concurrency", given["concurrency"] ?? cores, 1, 1 << 20, "children");
  const maxQueue = amount("maxQueue", given["maxQueue"] ?? Infinity, 0, Number.MAX_SAFE_INTEGER, "runs");
  for (const [name, value] of Object.entries({ concurrency, maxQueue })) {
    if (value !== Infinity && !Number.isInteger(value))
      throw new InvalidOptionError(name, value, "it must be a whole number");
  }
  return {
    threads: integer("threads", given["threads"] ?? Math.min(2, cores), 1, 64),
    concurrency,
    maxQueue,
    defaults: Object.freeze(defaults),
  };
}
