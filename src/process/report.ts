// What came of a child: the exit report, read from the slot that the kernel
// and the supervisor wrote.
import { INIT_LOST, SLOT } from "../native/layout.ts";
import type { Region } from "../native/region.ts";
import { monotonicClock } from "../native/syscalls.ts";
import type { CgroupUsage } from "./cgroup-reason.ts";
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

/** What this library did to end the child, and why. */
export interface Stopped {
  /** The `reason` that the pool stopped it for; `"kill"`: {@link Process.kill} was called, or the handle disposed of. */
  readonly by: ExitReason | "kill";
  /** The first signal that it got for that; of several calls of kill(), the last signal that could be delivered. */
  readonly signal: string;
  /** Whether SIGKILL had to follow, after `killAfter`. */
  readonly escalated: boolean;
}

/** A limit that the child met, by the name of its option, with the option's value. */
export type ReachedLimit =
  | { readonly name: "cpuSeconds" | "fileSize" | "memory" | "pids"; readonly value: number }
  | {
      readonly name: "maxOutput";
      readonly value: number;
      /** The child's fd that had too much in it; null where that was lost with a supervisor thread. */
      readonly fd: number | null;
    };

/** Where a core dump went. core(5). */
export interface CoreDump {
  /** What the machine's core_pattern names; null where it cannot be read. */
  readonly to: "file" | "program" | "socket" | null;
  /**
   * The file's path, the command behind `|`, or the socket's path behind `@`. Null where it cannot be known: a file is
   * named only where there is exactly one that fits the pattern and was written since the child's start.
   */
  readonly where: string | null;
  /**
   * Whose the dump is: `"root"` means that it may hold secrets, as of a set-id program. PIDFD_INFO_COREDUMP, Linux 6.16;
   * null where the kernel does not tell.
   */
  readonly as: "user" | "root" | null;
}

/** What every report has. */
export interface ExitFacts {
  readonly pid: number;
  readonly reason: ExitReason;
  /** The child's own last words, null if none. */
  readonly message: string | null;
  /** Start, in milliseconds since the epoch, by the wall clock as it is set at the end. */
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
  /** What this library did to end the child; null where it did nothing. */
  readonly stopped: Stopped | null;
  /** The limit of the child's own that `reason` speaks of; null where it speaks of none. */
  readonly limit: ReachedLimit | null;
  /** What the child's cgroup counted until its end; null where it had none of its own. */
  readonly cgroup: CgroupUsage | null;
  /** The end of what the child wrote to stderr, as text; null where none is kept. See the option `stderrTail`. */
  readonly stderrTail: string | null;
}

/** A child's end. `status` says what the kernel saw, `reason` what the pool did. */
export type ExitReport =
  | (ExitFacts & { readonly status: "exited"; readonly code: number })
  | (ExitFacts & {
      readonly status: "signaled";
      readonly signal: string;
      readonly coreDumped: boolean;
      readonly core: CoreDump | null;
    })
  | (ExitFacts & { readonly status: "unknown" });

const SI_CODE = SLOT.siginfo + 8;
const SI_STATUS = SLOT.siginfo + 24;
const CLD_EXITED = 1;
const CLD_KILLED = 2;
const CLD_DUMPED = 3;

/** Steps of the wall clock that are smaller are not followed: the two clocks are never read at quite the same time. */
const UNNOTICED_STEP = 20;

/** The clock of {@link monotonicNow} against the wall clock. */
let clockOffset: number | undefined;

/** Follows the wall clock where that was set: a machine may boot in 1970 and learn the time later. */
function wallOffset(): number {
  const offset = Date.now() - monotonicNow();
  if (clockOffset === undefined || Math.abs(offset - clockOffset) > UNNOTICED_STEP) clockOffset = offset;
  return clockOffset;
}

/** Where hrtime() begins: in Node when CLOCK_MONOTONIC does, in Bun and Deno when they were started. */
let hrtimeOrigin: number | undefined;

function hrtime(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

function findOrigin(): number {
  const now = hrtime();
  const origin = monotonicClock() - now;
  // Less is the time between two readings of one clock, or an errno.
  return origin > 1000 ? origin : 0;
}

/** CLOCK_MONOTONIC in milliseconds, as the launcher reads it. */
export function monotonicNow(): number {
  hrtimeOrigin ??= findOrigin();
  return hrtime() + hrtimeOrigin;
}

/** How many milliseconds ago the child of a report ended. */
export function endedAgo({ startedAt, wallMs }: ExitFacts): number {
  return monotonicNow() - (startedAt - (clockOffset ?? wallOffset()) + wallMs);
}

/** How PIDFD_GET_INFO tells whose a core dump is. */
const PIDFD_COREDUMP_USER = 4;
const PIDFD_COREDUMP_ROOT = 8;

/** Reads the report of a slot whose child was reaped. What only its launch knows is added there. */
export function readReport(region: Region, index: number, stderrTail: string | null): ExitReport {
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
  const startedAt = started + wallOffset();
  const wallMs = Math.max(0, (region.doubles[(at + SLOT.endedMs) >> 3] ?? 0) - started);
  const userMs = time(0);
  const systemMs = time(16);
  const maxRss = usage && peak > word(SLOT.parentPeak) ? peak * 1024 : null;
  const message = null;
  const stopSignal = word(SLOT.stopSignal);
  const stopped =
    stopSignal === 0
      ? null
      : {
          by: ours,
          signal: signalName(stopSignal),
          // One that went by the first signal did not need the second, which may have been sent all the same.
          escalated:
            stopSignal !== SIGKILL && word(SLOT.lastSignal) === SIGKILL && code === CLD_KILLED && status === SIGKILL,
        };
  const limit = null;
  const cgroup = null;
  // Written out: a spread of the common part would cost more than all the rest of this function.
  if (code === CLD_EXITED)
    return {
      status: "exited",
      code: status,
      pid,
      reason,
      message,
      startedAt,
      wallMs,
      userMs,
      systemMs,
      maxRss,
      stopped,
      limit,
      cgroup,
      stderrTail,
    };
  if (code === CLD_KILLED || code === CLD_DUMPED) {
    const signal = signalName(status);
    const coreDumped = code === CLD_DUMPED;
    const core = coreDumped ? dumped(word(SLOT.coreMask)) : null;
    return {
      status: "signaled",
      signal,
      coreDumped,
      core,
      pid,
      reason,
      message,
      startedAt,
      wallMs,
      userMs,
      systemMs,
      maxRss,
      stopped,
      limit,
      cgroup,
      stderrTail,
    };
  }
  return {
    status: "unknown",
    pid,
    reason,
    message,
    startedAt,
    wallMs,
    userMs,
    systemMs,
    maxRss,
    stopped,
    limit,
    cgroup,
    stderrTail,
  };
}

function dumped(mask: number): CoreDump {
  const as = (mask & PIDFD_COREDUMP_ROOT) !== 0 ? "root" : (mask & PIDFD_COREDUMP_USER) !== 0 ? "user" : null;
  return { to: null, where: null, as };
}
