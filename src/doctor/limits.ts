// How many children this process may have at a time.
import { limited, untried, yes, type Finding, type Findings } from "./report.ts";
import { linesOf, numberIn } from "./text-files.ts";

/** A live child holds its pidfd, and a pipe for each captured or piped stream. */
const FDS_PER_CHILD = 3;
/** What Node, its threads and a pool have open themselves. */
const OWN_FDS = 64;
/** Fewer than this many live children are worth a word. */
const MANY = 1000;

export function tryLimits(): Findings<"open-files" | "processes"> {
  return { "open-files": openFiles(), processes: processes() };
}

function openFiles(): Finding {
  const limit = ownLimit("Max open files");
  if (limit === undefined) return untried("/proc/self/limits cannot be read");
  const children = Math.max(0, Math.floor((limit.soft - OWN_FDS) / FDS_PER_CHILD));
  const detail = `soft limit ${limit.soft}, hard limit ${limit.hard}: ${children} live children with captured output`;
  if (children >= MANY) return yes(detail);
  return limited(detail, "ulimit -Hn 65536 before Node starts, LimitNOFILE=65536 in its unit, or docker run --ulimit");
}

function processes(): Finding {
  const limit = ownLimit("Max processes");
  if (limit === undefined) return untried("/proc/self/limits cannot be read");
  const pids = numberIn("/proc/sys/kernel/pid_max") ?? Infinity;
  // The kernel asks for it of nobody whose uid is root's.
  const own = process.getuid?.() === 0 ? Infinity : limit.soft;
  const allowed = limit.soft === Infinity ? "unlimited" : `${limit.soft}${own === Infinity ? " (not for root)" : ""}`;
  const detail = `RLIMIT_NPROC ${allowed}, kernel.pid_max ${pids}`;
  if (Math.min(own, pids) >= MANY) return yes(detail);
  return limited(detail, own < MANY ? "ulimit -u 65536, or LimitNPROC=65536" : "sysctl -w kernel.pid_max=4194304");
}

function ownLimit(name: string): { soft: number; hard: number } | undefined {
  const line = linesOf("/proc/self/limits").find((text) => text.startsWith(name));
  if (line === undefined) return undefined;
  const [soft = "", hard = ""] = line.slice(name.length).trim().split(/\s+/);
  return { soft: amount(soft), hard: amount(hard) };
}

function amount(text: string): number {
  return text === "unlimited" ? Infinity : Number(text);
}
