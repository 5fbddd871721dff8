// The doctor in a Node of its own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { Feature, ProbeReport, ProbeResult } from "pidpool";
import { fixturePath, startFixture } from "./fixture.ts";
import { hasCommands } from "./processes.ts";

/** What test/fixtures/doctor.ts prints. */
export interface Examination {
  readonly report: ProbeReport;
  /** Milliseconds. */
  readonly took: number;
}

/** Runs the doctor in a fixture, and asserts that it leaves nothing behind. */
export async function examine(
  fixture: "doctor" | "docker-profile",
  args: readonly string[] = [],
  wrap: readonly string[] = [],
): Promise<Examination> {
  const { code, stdout, stderr } = await startFixture(fixture, args, wrap).ended;
  assert.equal(code, 0, stderr);
  const outcome = JSON.parse(stdout) as Examination & { before: number; after: number; children: number[] };
  assert.equal(outcome.after, outcome.before, "fds");
  assert.deepEqual(outcome.children, []);
  return outcome;
}

/** The result of one feature. */
export function resultOf(report: ProbeReport, feature: Feature): ProbeResult {
  const result = report.features.find((one) => one.feature === feature);
  assert.ok(result, feature);
  return result;
}

/** What to put before a command that nobody in particular is to run. */
export const AS_NOBODY: readonly [string, ...string[]] = [
  "setpriv",
  "--reuid=65534",
  "--regid=65534",
  "--clear-groups",
];

/** Why nobody in particular cannot run tests here, if so. */
export function nobodyCannot(): string | false {
  if (process.geteuid?.() !== 0) return "needs root, to become another user";
  if (!hasCommands("setpriv")) return "setpriv(1) is not installed";
  const [file, ...args] = [...AS_NOBODY, process.execPath, "--check", fixturePath("doctor")];
  return spawnSync(file, args).status !== 0 && "other users may not read this checkout";
}
