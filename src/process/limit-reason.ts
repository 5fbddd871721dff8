// Whether a child that a signal ended was ended by a limit of its own: the
// kernel only tells the signal.
import type { Rlimit, RlimitKey } from "./limits.ts";
import type { ExitReason, ExitReport, ReachedLimit } from "./report.ts";

/** The limit that a reason of {@link limitReason} speaks of. */
export function ownLimit(reason: ExitReason, limits: readonly Rlimit[]): ReachedLimit | null {
  const name = reason === "cpu-limit" ? "cpuSeconds" : reason === "file-size-limit" ? "fileSize" : undefined;
  const found = limits.find(({ option }) => option === name);
  return name === undefined || found === undefined ? null : { name, value: found.value };
}

/**
 * The reason of a report, seen with the child's limits.
 *
 * @param sent Whether this library has sent the child this signal: then that was it.
 */
export function limitReason(
  report: ExitReport,
  limits: readonly Rlimit[],
  sent: (signal: string) => boolean,
): ExitReason {
  if (report.reason !== "signal" || report.status !== "signaled" || sent(report.signal)) return report.reason;
  const limit = (option: RlimitKey): number => limits.find((one) => one.option === option)?.value ?? Infinity;
  const seconds = Math.ceil(limit("cpuSeconds"));
  switch (report.signal) {
    case "SIGXCPU":
      return seconds < Infinity ? "cpu-limit" : "signal";
    case "SIGKILL":
      // The hard limit, a second after the soft one; the two clocks need not agree to the millisecond.
      return (report.userMs ?? 0) + (report.systemMs ?? 0) >= seconds * 1000 ? "cpu-limit" : "signal";
    case "SIGXFSZ":
      return limit("fileSize") < Infinity ? "file-size-limit" : "signal";
    default:
      return "signal";
  }
}
