// How many children this machine lets one process have.
import { readFileSync } from "node:fs";

/** fds and processes that everything else may need. */
const RESERVE = 1000;

/** The tightest of the limits, less a reserve. */
export function roomForChildren(reserve: number = RESERVE): { readonly room: number; readonly limitedBy: string } {
  const limits = readText("/proc/self/limits");
  const bounds: [string, number][] = [
    // Node raises its soft limit to the hard one when it starts.
    ["the limit of open files (ulimit -Hn)", Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Infinity)],
    ["the limit of processes (ulimit -u)", Number(/^Max processes\s+(\d+)/m.exec(limits)?.[1] ?? Infinity)],
    ["kernel.pid_max", Number(readText("/proc/sys/kernel/pid_max") || Infinity)],
    ["the cgroup's pids.max", Number(/^\d+/.exec(readText("/sys/fs/cgroup/pids.max"))?.[0] ?? Infinity)],
  ];
  const [limitedBy, bound] = bounds.reduce((least, next) => (next[1] < least[1] ? next : least));
  return { room: Math.max(0, bound - reserve), limitedBy };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
