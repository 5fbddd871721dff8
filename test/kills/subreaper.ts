// This process as the one that orphans come to: whatever a host that was killed
// has left anywhere in the tree beneath it is then a child of ours.
import koffi from "koffi";
import { allChildPids, stateOf } from "../helpers/processes.ts";

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

const libc = koffi.load(null);
const prctl: (option: number, a: number, b: number, c: number, d: number) => number = libc.func(
  "int prctl(int option, long a, long b, long c, long d)",
);
const waitpid: (pid: number, status: null, flags: number) => number = libc.func(
  "int waitpid(int pid, void *status, int flags)",
);

/** From now on, for all children to come. prctl(2). */
export function becomeSubreaper(): void {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0) throw new Error("prctl(PR_SET_CHILD_SUBREAPER) failed");
}

/** Pids of the orphans that live; those that have ended are reaped. Not to be called while Node has children of its own. */
export function orphans(): number[] {
  return allChildPids().filter((pid) => stateOf(pid) !== "Z" || waitpid(pid, null, WNOHANG) !== pid);
}

/** Pids of a process and all that it has started, as far as it can be seen. */
export function treeOf(pid: number): number[] {
  try {
    return [pid, ...allChildPids(pid).flatMap(treeOf)];
  } catch {
    return [];
  }
}
