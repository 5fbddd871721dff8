// What /proc says about this process's fds and children, and about others.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Fds of this process, as "number → target", without the one that lists them. */
export function openFds(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [`${fd} → ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return [];
    }
  });
}

/** Pids of the guardians that a process has, zombies included. */
export function guardianPids(pid: number = process.pid): number[] {
  return allChildPids(pid).filter(isGuardian);
}

/** Pids of this process's children but guardians, zombies included. */
export function childPids(pid: number = process.pid): number[] {
  return allChildPids(pid).filter((child) => !isGuardian(child));
}

function isGuardian(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, "latin1").startsWith("pidpool-guardia");
  } catch {
    return false;
  }
}

/** Pids of this process's children, zombies included. */
export function allChildPids(pid: number = process.pid): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

/** The one-letter state of a process, or undefined where there is none. */
export function stateOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.[0];
  } catch {
    return undefined;
  }
}

/** The fields of a line of proc_pid_stat(5) from the third, the state, on. */
export function statFields(line: string): string[] {
  return line
    .slice(line.lastIndexOf(")") + 2)
    .trim()
    .split(" ");
}

/** Whether a process runs: a zombie that only waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== undefined && state !== "Z" && state !== "X";
}

/** Whether a process lives and ignores a signal, by its number. */
export function ignores(pid: number, signal: number): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? "0";
    return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/** SIGKILL for processes, some of which may be gone. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Waits until a condition holds; the test's own time limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** True where the commands are all installed. */
export function hasCommands(...names: string[]): boolean {
  return names.every((name) => {
    try {
      execFileSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}
