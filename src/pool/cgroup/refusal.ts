// What the machine refuses about cgroups, as errors that say what to do.
import { IsolationError, PidpoolError } from "../../errors.ts";
import { errnoOf } from "./files.ts";

/** How to get a group to which the kernel, and systemd, let us add children with limits. */
export const DELEGATE: string =
  "start the program in a subgroup of a delegated unit, with Delegate=yes and DelegateSubgroup=main (systemd 254), " +
  "for instance by systemd-run --user --pty -p Delegate=yes -p DelegateSubgroup=main node …; or, under " +
  "systemd-run --user --scope -p Delegate=yes, move it into a subgroup by cgroup.procs before it starts; or name a " +
  "group without processes that this user may write to: the option cgroup";

/** An error of stage "cgroup", with what the system call said. The remedy is part of the message. */
export function refusal(what: string, remedy: string | undefined, cause?: unknown): IsolationError {
  const failure = cause instanceof Error ? (cause as NodeJS.ErrnoException) : undefined;
  const errno = errnoOf(cause);
  const said = errno === undefined ? "" : ` (${errno})`;
  return new IsolationError("cgroup", `${what}${said}${remedy === undefined ? "" : `; ${remedy}`}`, {
    syscall: failure?.syscall,
    errno,
    cause,
    remedy,
  });
}

/** Runs `action`; whatever it fails of is an error of this library, also where files, say, have run out. */
export async function typed<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof PidpoolError ? error : refusal(what, undefined, error);
  }
}
