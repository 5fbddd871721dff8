// Whether a limit of its cgroup ended the child: what the group counted, weighed
// against how the child ended.
import type { CgroupPlan } from "./cgroup-limits.ts";
import type { ExitReport, ReachedLimit } from "./report.ts";

/** What a group counted until its end; null where the kernel, or a missing controller, does not say. */
export interface CgroupUsage {
  /** How often the group itself was out of memory, by its own limit. */
  readonly oom: number | null;
  /** What some OOM killer has killed in the group: for its limit, a parent's, or the machine's. The kernel's count: of a group that dies as a whole, more than there were processes. */
  readonly oomKills: number | null;
  /** Peak memory in bytes. Linux 5.19. */
  readonly memoryPeak: number | null;
  /** How often a fork met the limit. */
  readonly pidsMet: number | null;
  /** The most processes and threads at a time. Linux 6.1. */
  readonly pidsPeak: number | null;
  /** CPU milliseconds of all that ran in the group. */
  readonly userMs: number | null;
  readonly systemMs: number | null;
  /** Milliseconds for which `cpuMax` held the group back. */
  readonly throttledMs: number | null;
}

/** How a child ended, and whether we had a hand in it. */
export interface EndFacts {
  /** `signal` where the status is `"signaled"`. */
  readonly report: Pick<ExitReport, "status" | "reason"> & { readonly signal?: string; readonly code?: number };
  /** This library has sent SIGKILL, on whatever grounds, before the child was reaped. */
  readonly killedByUs: boolean;
}

/**
 * The limit that ended the child, if one did.
 *
 * Memory: a count of OOM kills proves that somebody in the group died, and not for whose limit. So the group
 * must itself have been out of memory, and the child must have died by a SIGKILL that was not ours; with
 * memory.oom.group, which every plan for memory sets, the whole group dies of it, and so the child.
 *
 * Processes: a fork that fails does not end anyone. That the limit was met, and that the child then ended in
 * error by its own doing, is all that can be known.
 */
export function cgroupReason(
  { report, killedByUs }: EndFacts,
  plan: CgroupPlan,
  usage: CgroupUsage,
): "memory-limit" | "pids-limit" | undefined {
  // What the pool did first is the reason, whatever happened on the way.
  if (killedByUs || (report.reason !== "exit" && report.reason !== "signal")) return undefined;
  const limited = (file: string): string | undefined => plan.settings.find((setting) => setting.file === file)?.value;
  if (limited("memory.max") !== undefined && report.status === "signaled" && report.signal === "SIGKILL") {
    if ((usage.oom ?? 0) > 0 && (usage.oomKills ?? 0) > 0) return "memory-limit";
  }
  const pids = limited("pids.max");
  if (pids === undefined || (usage.pidsMet ?? 0) === 0) return undefined;
  // Kernels before 6.11 also count forks that met a parent's limit.
  if (usage.pidsPeak !== null && usage.pidsPeak < Number(pids)) return undefined;
  const unclean = report.status === "signaled" || (report.status === "exited" && report.code !== 0);
  return unclean ? "pids-limit" : undefined;
}

/** The limit that a reason speaks of. */
export function groupLimit(reason: "memory-limit" | "pids-limit", plan: CgroupPlan): ReachedLimit {
  const [name, file] =
    reason === "memory-limit" ? (["memory", "memory.max"] as const) : (["pids", "pids.max"] as const);
  return { name, value: Number(plan.settings.find((setting) => setting.file === file)?.value) };
}
