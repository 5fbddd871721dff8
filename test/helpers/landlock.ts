// What tests of Landlock share.
import { existsSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { FilesystemRules, LaunchOptions, ProcessPool } from "pidpool";
import { landlockAbi } from "#pidpool/native/landlock.js";
import { fixturePath } from "./fixture.ts";

/** Skips, with the reason, where this machine's Landlock is older than needed. */
export function needsLandlock(t: TestContext, needed: number): boolean {
  const found = landlockAbi();
  if (found >= needed) return true;
  t.skip(`needs Landlock ABI ${needed}; the probe says ${found}`);
  return false;
}

const there = (paths: readonly string[]): string[] => paths.filter((path) => existsSync(path));

/** Where this machine's programs and their libraries are. */
export const PROGRAMS: readonly string[] = there(["/usr", "/bin", "/sbin", "/lib", "/lib64"]);

/** What node needs for itself and this checkout. */
export const NODE: FilesystemRules = {
  execute: [...PROGRAMS, dirname(realpathSync(process.execPath))],
  readOnly: [...there(["/etc", "/proc"]), fileURLToPath(new URL("../../..", import.meta.url))],
};

/** One action of test/fixtures/attack.ts. */
export type Attempt = readonly [action: string, ...operands: (string | number)[]];

/** What came of each attempt, made by one child under these options: "ok", or the error's code. */
export async function attack(
  pool: ProcessPool,
  attempts: readonly Attempt[],
  options: LaunchOptions = {},
): Promise<string[]> {
  const { stdout } = await pool.run(process.execPath, [fixturePath("attack"), JSON.stringify(attempts)], {
    ...options,
    stdio: "capture",
    encoding: "utf8",
  });
  return JSON.parse(stdout) as string[];
}
