// A few hosts that are killed, within a test.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { hasCommands } from "../helpers/processes.ts";

/** For the option `skip`: why there are no children for hosts. */
export const noCompiler: string | false = !hasCommands("cc") && "needs cc";

/** Runs main.ts; whatever is left fails the test. */
export function killSome(t: TestContext, kills: number, seed: number, ...more: readonly string[]): void {
  const main = fileURLToPath(new URL("main.js", import.meta.url));
  const args = ["--enable-source-maps", main, "--kills", `${kills}`, "--seed", `${seed}`, ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  for (const line of stdout.trim().split("\n")) t.diagnostic(line);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`^all: ${kills} kills, [1-9]\\d* processes .* 0 failed$`, "m"));
}
