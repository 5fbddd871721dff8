// Children that get standing sockets without a service: the same spec, spawned once.
import type { Isolation, Process, ProcessPool, StdioOption } from "pidpool";
import type { Passing } from "#pidpool/pool/listen/passing.js";
import { spawnSpec } from "#pidpool/pool/pool.js";
import { resolveSpec } from "#pidpool/process/spec.js";
import type { Variable } from "#pidpool/process/env.js";
import type { LaunchOptions } from "#pidpool/process/options.js";

const { TEST_ISOLATION } = process.env;

/** The suite's; see pool.ts. */
const DEFAULTS = TEST_ISOLATION === undefined ? {} : { isolation: TEST_ISOLATION as Isolation };

/** As spawn(), with variables that the pool sets. The pool's own defaults do not count. */
export function spawnWith(
  pool: ProcessPool,
  variables: readonly Variable[],
  file: string,
  args: readonly string[],
  options: LaunchOptions = {},
): Promise<Process> {
  return spawnSpec(pool, resolveSpec("spawn", file, args, { ...DEFAULTS, ...options }, {}, variables));
}

/** As spawn(), with sockets. */
export function spawnPassed(
  pool: ProcessPool,
  passing: Passing,
  file: string,
  args: readonly string[],
  options: LaunchOptions = {},
): Promise<Process> {
  return spawnWith(pool, passing.variables, file, args, { ...options, stdio: passing.stdio as StdioOption });
}
