// What came of a child: the exit report, read from the slot that the kernel
// and the supervisor wrote.
import { INIT_LOST, SLOT } from "../native/layout.ts";
import type { Region } from "../native/region.ts";
import { SIGKILL, signalName } from "./signals.ts";

/**
 * Why the child ended, as far as this library had a part in it: `"exit"` and `"signal"` are the child's own
 * doing or a stranger's; `"cpu-limit"` and `"file-size-limit"` mean that the kernel ended it for its `limits`; the
 * others name what the pool did first, whatever status came of it. `"guardian-died"`: the init of its pid namespace
 * was killed, and the kernel took it along. `"watchdog"`: it did not say WATCHDOG=1 in time. `"shutdown"`: its pool was
 * destroyed, or its service stopped; `"unhealthy"`: it failed its service's health probe. `"unknown"`: foreign code
 * took the exit status.
 */
export const REASONS = [
  "exit",
  "signal",
  "timeout",
  "aborted",
  "output-limit",
  "cpu-limit",
  "file-size-limit",
  "input-error",
  "shutdown",
  "memory-limit",
  "pids-limit",
  "guardian-died",
  "watchdog",
  "unhealthy",
  "unknown",
] as const;

/** One of {@link REASONS}. */
export type ExitReason = (typeof REASONS)[number];

/** Index into {@link REASONS}, for the slot. 0 means that the pool did nothing. */
export function reasonCode(reason: ExitReason): number {
  return REASONS.indexOf(reason);
}

/** What every report has. */
export interface ExitFacts {
  readonly pid: number;
  readonly reason: ExitReason;
  /** The child's own last words, null if none. */
  readonly message: string | null;
  /** Start, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds from clone to reap. */
  readonly wallMs: number;
  /** CPU milliseconds in user mode, its waited-for children included; null where the kernel did not say. */
  readonly userMs: number | null;
  /** CPU milliseconds in the kernel, likewise. */
  readonly systemMs: number | null;
  /**
   * Peak resident set in bytes. The kernel counts from the *parent's* peak on (getrusage(2) after vfork), so
   * this is null unless the child's own peak exceeded that.
   */
  readonly maxRss: number | null;
}

/** A child's end. `status` says what the kernel saw, `reason` what the pool did. */
export type ExitReport =
  | (ExitFacts & { readonly status: "exited"; readonly code: number })
  | (ExitFacts & { readonly status: "signaled"; readonly signal: string; readonly coreDumped: boolean })
  | (ExitFacts & { readonly status: "unknown" });

const SI_CODE = SLOT.siginfo + 8;
const SI_STATUS = SLOT.siginfo + 24;
const CLD_EXITED = 1;
const CLD_KILLED = 2;
const CLD_DUMPED = 3;

/** The clock of {@link monotonicNow} against the wall clock, read together. */
const clockOffset = Date.now() - monotonicNow();

/** CLOCK_MONOTONIC in milliseconds, as the launcher reads it. */
export function monotonicNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Reads the report of a slot whose child was reaped. */
export function readReport(region: Region, index: number): ExitReport {
  const at = region.slot(index);
  const word = (offset: number): number => region.words[(at + offset) >> 2] ?? 0;
  const started = region.milliseconds(at + SLOT.startedNs);
  const code = word(SI_CODE);
  const status = word(SI_STATUS);
  // waitid sets si_signo to SIGCHLD; a status learned otherwise comes without rusage.
  const usage = word(SLOT.siginfo) !== 0;
  const time = (offset: number): number | null =>
    usage ? word(SLOT.rusage + offset) * 1000 + word(SLOT.rusage + offset + 8) / 1000 : null;
  const peak = word(SLOT.rusage + 32);
  const ours = REASONS[word(SLOT.reason)] ?? "unknown";
  const known = code >= CLD_EXITED && code <= CLD_DUMPED;
  const pid = word(SLOT.pid);
  const orphaned = status === SIGKILL && word(SLOT.init) === INIT_LOST;
  const reason =
    ours !== "exit" ? ours : !known ? "unknown" : code === CLD_EXITED ? "exit" : orphaned ? "guardian-died" : "signal";
  const startedAt = started + clockOffset;
  const wallMs = Math.max(0, (region.doubles[(at + SLOT.endedMs) >> 3] ?? 0) - started);
  const userMs = time(0);
  const systemMs = time(16);
  const maxRss = usage && peak > word(SLOT.parentPeak) ? peak * 1024 : null;
  const message = null;
  // Written out: a spread of the common part would cost more than all the rest of this function.
  if (code === CLD_EXITED)
    return { status: "exited", code: status, pid, reason, message, startedAt, wallMs, userMs, systemMs, maxRss };
  if (code === CLD_KILLED || code === CLD_DUMPED) {
    const signal = signalName(status);
    const coreDumped = code === CLD_DUMPED;
    return {
      status: "signaled",
      signal,
      coreDumped,
      pid,
      reason,
      message,
      startedAt,
      wallMs,
      userMs,
      systemMs,
      maxRss,
    };
  }
  return { status: "unknown", pid, reason, message, startedAt, wallMs, userMs, systemMs, maxRss };
}

/** One line for people: what the child died of. */
export function describeExit(report: ExitReport): string {
  switch (report.reason) {
    case "timeout":
      return `timed out after ${Math.round(report.wallMs)} ms (${describeStatus(report)})`;
    case "aborted":
      return `was aborted (${describeStatus(report)})`;
    case "output-limit":
      return `wrote more than maxOutput allows and was ended (${describeStatus(report)})`;
    case "cpu-limit":
      return `used more CPU time than limits.cpuSeconds allows (${describeStatus(report)})`;
    case "file-size-limit":
      return `wrote a file larger than limits.fileSize allows (${describeStatus(report)})`;
    case "input-error":
      return `was ended because its input failed (${describeStatus(report)})`;
    case "shutdown":
      return `was ended with its pool or service (${describeStatus(report)})`;
    case "memory-limit":
      return `used more memory than limits.memory allows (${describeStatus(report)})`;
    case "pids-limit":
      return `met limits.pids and failed (${describeStatus(report)})`;
    case "unhealthy":
      return `failed its health probe and was ended (${describeStatus(report)})`;
    case "guardian-died":
      return `was killed with the init of its pid namespace (${describeStatus(report)})`;
    case "watchdog":
      return `did not say WATCHDOG=1 in time and was ended (${describeStatus(report)})`;
    case "exit":
    case "signal":
    case "unknown":
      return describeStatus(report);
  }
}

function describeStatus(report: ExitReport): string {
  switch (report.status) {
    case "exited":
      return `exited with code ${report.code}`;
    case "signaled":
      return `was killed by ${report.signal}${report.coreDumped ? " (core dumped)" : ""}`;
    case "unknown":
      return "ended, but other code in this process took its exit status (waitpid(-1), or SIGCHLD is ignored)";
  }
}
