// What a process has: fds, children, listeners, timers. A round must leave no
// more of it than there was.
import { readdirSync, readFileSync } from "node:fs";
import { allChildPids, openFds } from "../helpers/processes.ts";

/** How much of each kind there is. */
export type Traces = ReadonlyMap<string, number>;

function count(kinds: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Processes of this machine with this text in their environment. */
function marked(mark: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark)) return [];
        return [`process ${readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim()}`];
      } catch {
        return [];
      }
    });
}

/** @param mark What is in the environment of all children. */
export function tracesNow(mark: string): Traces {
  const fds = openFds().map((fd) => `fd ${fd.replace(/^\d+ → /, "").replace(/\[\d+\]|\d+/g, "…")}`);
  const listeners = process
    .eventNames()
    .flatMap((name) => Array.from({ length: process.listenerCount(name) }, () => `listener ${String(name)}`));
  const resources = process.getActiveResourcesInfo().map((name) => `resource ${name}`);
  const children = allChildPids().map(() => "child");
  return count([...fds, ...listeners, ...resources, ...children, ...marked(mark)]);
}

/**
 * A Worker that runs out of fds as it begins, or as it loads its modules, leaves its event loop's or some of theirs
 * (Node 20, without this library too).
 */
const NODES_OWN = /^fd (?:anon_inode:\[eventpoll\]|\/.*\.m?js)$/;

/** What there is more of than before, in words. */
export function growth(before: Traces, now: Traces): string[] {
  return [...now].flatMap(([kind, n]) => {
    const was = before.get(kind) ?? 0;
    return n > was && !NODES_OWN.test(kind) ? [`${kind}: ${was} before, ${n} now`] : [];
  });
}

/** Waits until nothing has grown; resolves to what has, if that does not end in time. */
export async function settled(before: Traces, mark: string, patience: number): Promise<string[]> {
  const end = performance.now() + patience;
  for (;;) {
    const grown = growth(before, tracesNow(mark));
    if (grown.length === 0 || performance.now() > end) return grown;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
