// From an exit report to what a contestant is told.
import type { ExitReason, RunResult } from "pidpool";

/** As judges call them. */
export type Verdict =
  | "accepted"
  | "wrong answer"
  | "time limit"
  | "output limit"
  | "crashed"
  | "failed"
  | "does not compile";

const BY_REASON: Partial<Record<ExitReason, Verdict>> = {
  timeout: "time limit",
  "cpu-limit": "time limit",
  "output-limit": "output limit",
  signal: "crashed",
};

/** `expected` is compared without the white space around it. */
export function judge({ exit, stdout }: RunResult<string, string>, expected: string): Verdict {
  const verdict = BY_REASON[exit.reason];
  if (verdict !== undefined) return verdict;
  if (exit.status !== "exited" || exit.code !== 0) return "failed";
  return stdout.trim() === expected ? "accepted" : "wrong answer";
}
