// The processes that a child has started, found in /proc, and signalled one by
// one. Best effort: one that forks faster than this looks can slip through, and
// so can one that has left both the family and the session. A pid namespace or a
// cgroup misses nobody.
import { readdirSync } from "node:fs";
import { close, pidfdOpen, pidfdSendSignal } from "../native/syscalls.ts";
import { readStat, type ProcStat } from "./proc-stat.ts";

interface Member extends ProcStat {
  readonly pid: number;
}

/** How often it is looked again for those that were started meanwhile. */
const ROUNDS = 10;

/**
 * Signals every descendant of a process that can be found, and, where it leads a group or session, their other
 * members; not the process itself. Its pid must not be free meanwhile. See proc_pid_stat(5).
 *
 * @param found Called when those that are there at first were found, and none was signalled yet.
 */
export function signalDescendants(root: number, signal: number, leader: boolean, found?: () => void): void {
  signalFamilies([root], signal, leader, found);
}

/** The same for several processes, in as many looks through /proc as one of them takes. */
export function signalFamilies(roots: readonly number[], signal: number, leaders: boolean, found?: () => void): void {
  const done = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const fresh = families(roots, leaders).filter(({ pid, startedAt }) => !done.has(`${pid} ${startedAt}`));
    if (round === 0) found?.();
    if (fresh.length === 0) return;
    for (const member of fresh) {
      done.add(`${member.pid} ${member.startedAt}`);
      signalMember(member, signal);
    }
  }
}

function families(roots: readonly number[], leaders: boolean): Member[] {
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (read(Number(name)) ?? []) : []));
  const pids = new Set(roots);
  const led = new Set(leaders ? roots : []);
  const found: Member[] = [];
  // Children have larger pids than their parents only until numbers wrap: look until nothing is added.
  for (let before = -1; before !== found.length;) {
    before = found.length;
    for (const member of all) {
      if (pids.has(member.pid)) continue;
      if (!pids.has(member.parent) && !led.has(member.group) && !led.has(member.session)) continue;
      pids.add(member.pid);
      found.push(member);
    }
  }
  return found;
}

function read(pid: number): Member | undefined {
  const stat = readStat(pid);
  return stat === undefined || stat.state === "Z" || stat.state === "X" ? undefined : { pid, ...stat };
}

/** Through a pidfd that is known to be this process's: opened before the second look. */
function signalMember({ pid, startedAt }: Member, signal: number): void {
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) return;
  if (read(pid)?.startedAt === startedAt) pidfdSendSignal(pidfd, signal);
  close(pidfd);
}
