// How a process of a service ended, in systemd's words: one pure function from
// what is known of the end, and the lists of exit statuses that options name.
import type { ExitReason, ExitReport } from "../../process/report.ts";

/**
 * What came of a process of a service; the words are those of systemd's `Result=`:
 * - `"success"`: exit code 0, SIGHUP, SIGINT, SIGTERM or SIGPIPE, or one of `successCodes`
 * - `"exit-code"`: another exit code, or a program that could not be started
 * - `"signal"`, `"core-dump"`: another signal
 * - `"timeout"`: not ready within `startTimeout`, or alive after `timeout`
 * - `"watchdog"`: no WATCHDOG=1 in time, or unhealthy
 * - `"oom-kill"`: more memory than `limits.memory`
 * - `"resources"`: the system lacked what a process needs; or foreign code took its exit status
 * - `"protocol"`: a clean end before it was ready
 */
export type ServiceResult =
  | "success"
  | "exit-code"
  | "signal"
  | "core-dump"
  | "timeout"
  | "watchdog"
  | "oom-kill"
  | "resources"
  | "protocol";

/** Exit codes and signals that an option names. */
export interface StatusSet {
  readonly codes: ReadonlySet<number>;
  readonly signals: ReadonlySet<string>;
}

/** What is known of an end. */
export interface ProcessEnd {
  /** null where no program ever ran. */
  readonly report: ExitReport | null;
  /** The child itself could not execute its program, as opposed to a system that had no room for a child. */
  readonly unstartable: boolean;
  /** It was being ended because it was not ready in time. */
  readonly late: boolean;
  /** It had been ready. */
  readonly wasReady: boolean;
}

/** The exit code that systemd's children have where execve(2) fails. */
const EXIT_EXEC = 203;

const CLEAN_SIGNALS: ReadonlySet<string> = new Set(["SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"]);

/** What the pool or the kernel did comes first: a child that handles SIGTERM and exits with 0 has timed out all the same. */
const FORCED: Readonly<Partial<Record<ExitReason, ServiceResult>>> = {
  timeout: "timeout",
  watchdog: "watchdog",
  unhealthy: "watchdog",
  "memory-limit": "oom-kill",
};

/** Whether the status is in the set; as in systemd, a program that could not be started counts as code 203. */
export function hasStatus({ codes, signals }: StatusSet, { report, unstartable }: ProcessEnd): boolean {
  if (report === null) return unstartable && codes.has(EXIT_EXEC);
  if (report.status === "exited") return codes.has(report.code);
  return report.status === "signaled" && signals.has(report.signal);
}

/** @param success What counts as clean beside the usual. */
export function resultOf(end: ProcessEnd, success: StatusSet): ServiceResult {
  const { report, wasReady } = end;
  // One that is not even launched by then leaves no report to say so.
  if (end.late) return "timeout";
  if (report === null) return end.unstartable ? "exit-code" : "resources";
  const forced = Object.hasOwn(FORCED, report.reason) ? FORCED[report.reason] : undefined;
  if (forced !== undefined) return forced;
  switch (report.status) {
    case "unknown":
      return "resources";
    case "exited":
      if (report.code !== 0 && !hasStatus(success, end)) return "exit-code";
      return wasReady ? "success" : "protocol";
    case "signaled":
      // A dump is never clean, whatever the signal.
      if (report.coreDumped) return "core-dump";
      if (!CLEAN_SIGNALS.has(report.signal) && !hasStatus(success, end)) return "signal";
      return wasReady ? "success" : "protocol";
  }
}
