// Signals of a stranger to a child of this process, known by its pid alone. The
// pool may have reaped it and not said so yet, and the kernel may have given the
// number to somebody else's process by now.
import { constants } from "node:os";
import { readStat } from "#pidpool/process/proc-stat.js";
import { close, pidfdOpen, pidfdSendSignal } from "#pidpool/native/syscalls.js";

/** Nothing happens where there is no such child, or no fd is left. */
export function signalChild(pid: number, name: NodeJS.Signals): void {
  const pidfd = pidfdOpen(pid);
  if (pidfd < 0) return;
  // Asked with the pidfd at hand: if it is our child now, the signal reaches that one or nobody.
  if (readStat(pid)?.parent === process.pid) pidfdSendSignal(pidfd, constants.signals[name]);
  close(pidfd);
}
