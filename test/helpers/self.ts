// What this process has open and running, as the kernel tells it.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** This process's fds with what each leads to, e.g. `"7 pipe:[123]"`; without the one that the look itself takes. */
export function openFds(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return [];
    }
  });
}

/** The pids of this process's children, zombies included. */
export function childPids(): number[] {
  return readdirSync("/proc/self/task")
    .flatMap((task) => {
      try {
        return readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ");
      } catch {
        return []; // the thread has ended
      }
    })
    .filter((pid) => pid !== "")
    .map(Number);
}

/** The state letter of a process in proc_pid_stat(5), or undefined where there is none. */
export function processState(pid: number): string | undefined {
  try {
    return statFields(readFileSync(`/proc/${pid}/stat`, "utf8"))[0];
  } catch {
    return undefined;
  }
}

/** True for a process that runs or sleeps: not for a zombie. */
export function isAlive(pid: number): boolean {
  const state = processState(pid);
  return state !== undefined && state !== "Z" && state !== "X";
}

/** The fields of a line of proc_pid_stat(5) from the third, the state, on. */
export function statFields(line: string): string[] {
  return line.slice(line.lastIndexOf(")") + 2).trim().split(" ");
}
