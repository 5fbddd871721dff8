// Processes that carry a mark in their environment, wherever they hide.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { isAlive } from "./processes.ts";

/** A new mark, as an environment for children. */
export function newMark(): Readonly<Record<"PIDPOOL_MARK", string>> {
  return { PIDPOOL_MARK: randomBytes(12).toString("hex") };
}

/** Pids of all processes with this mark that run. */
export function markedPids({ PIDPOOL_MARK }: { readonly PIDPOOL_MARK: string }): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`PIDPOOL_MARK=${PIDPOOL_MARK}`) && isAlive(pid);
      } catch {
        return false;
      }
    });
}

/** Ends all that are left, for the end of a test. */
export function endMarked(mark: { readonly PIDPOOL_MARK: string }): void {
  for (const pid of markedPids(mark)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** A shell script that leaves daemons three deep: each in a session of its own, without fds, deaf to signals; then runs `last`. */
export function daemons(last: string): string {
  const deaf = "trap '' HUP INT TERM QUIT; exec <&- >&- 2>&-";
  const innermost = `${deaf}; setsid sleep 1000 & exec sleep 1000`;
  const middle = `${deaf}; setsid sh -c "${innermost}" & sleep 1000`;
  return `(setsid sh -c '${middle.replaceAll("'", `'\\''`)}' &); ${last}`;
}
