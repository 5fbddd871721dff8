// What a child takes from this process unless it is told otherwise. A child in
// another pid namespace may be made by a deputy of the launcher that has its own
// copy, from the time when it began; one with mounts of its own must look its
// directory up in them.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { IsolationPlan } from "./isolation.ts";

/** Milliseconds for which an answer serves. */
const FRESH = 10;

let umask: number | undefined;
let readAt = -Infinity;

/** The umask to give to a child that does not inherit it. */
export function ownUmask({ pid }: IsolationPlan): number | undefined {
  if (!pid) return undefined;
  const now = performance.now();
  if (now - readAt > FRESH) {
    try {
      // umask(2) tells it only by changing it, for all threads.
      const octal = /^Umask:\s*([0-7]+)$/m.exec(readFileSync("/proc/thread-self/status", "latin1"))?.[1];
      umask = octal === undefined ? undefined : Number.parseInt(octal, 8);
      readAt = now;
    } catch {
      // No fd is left. What it was a moment ago will do, or what the deputy has.
    }
  }
  return umask;
}

/** The working directory to give to a child that does not inherit it. */
export function ownDirectory({ pid, mounts }: IsolationPlan): string | undefined {
  if (!pid && !mounts) return undefined;
  try {
    return process.cwd();
  } catch {
    // It was removed: the child is in none either, but must not be in one outside its mounts.
    return mounts ? "/" : undefined;
  }
}
