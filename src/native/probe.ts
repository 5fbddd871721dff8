// What this kernel can do, found out by doing it, once per thread.
import { PidpoolError } from "../errors.ts";
import { EBADF, ECHILD, ENOSYS, errnoName } from "./errno.ts";
import { native } from "./load.ts";
import { close, closeRange, pidfdOpen, pidfdSendSignal, waitPidfd } from "./syscalls.ts";

interface Step {
  readonly name: string;
  readonly since: string;
  /** The errno that came, 0 for success. */
  readonly errno: number;
}

let verdict: PidpoolError | null | undefined;

/**
 * Throws unless this machine has what every launch needs.
 *
 * @throws PidpoolError ERR_UNSUPPORTED naming what is missing.
 */
export function requireSupport(): void {
  verdict ??= probe();
  if (verdict !== null) throw verdict;
}

function probe(): PidpoolError | null {
  native();
  const pidfd = pidfdOpen(process.pid);
  const steps: Step[] = [{ name: "pidfd_open", since: "5.3", errno: Math.max(0, -pidfd) }];
  if (pidfd >= 0) {
    steps.push({ name: "pidfd_send_signal", since: "5.1", errno: -pidfdSendSignal(pidfd, 0) });
    const out = new Uint8Array(272);
    const address = native().addressOf(out);
    // We are no child of ours: ECHILD says that the kernel understood the question.
    const waited = -waitPidfd(pidfd, address, address + 128);
    steps.push({ name: "waitid(P_PIDFD)", since: "5.4", errno: waited === ECHILD ? 0 : waited });
    close(pidfd);
  }
  const ranged = -closeRange(0x7ffffffe, 0x7fffffff);
  steps.push({ name: "close_range", since: "5.9", errno: ranged === EBADF ? 0 : ranged });
  const missing = steps.find(({ errno }) => errno !== 0);
  if (missing === undefined) return null;
  const errno = errnoName(missing.errno);
  const why =
    missing.errno === ENOSYS
      ? `this kernel, or what emulates it here, lacks it (Linux has it since ${missing.since})`
      : "it is refused here, perhaps by a seccomp filter";
  return new PidpoolError(
    "ERR_UNSUPPORTED",
    `pidpool needs Linux 5.10 or newer: ${missing.name} failed with ${errno}; ${why}`,
    {
      syscall: missing.name,
      errno,
    },
  );
}
