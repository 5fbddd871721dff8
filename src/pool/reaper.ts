// Reaping one child through its pidfd, in the supervisor thread. The kernel
// writes the status straight into the slot, so that a supervisor that dies
// right afterwards loses nothing.
import { SLOT, STATE } from "../native/layout.ts";
import type { Region } from "../native/region.ts";
import { close, ioctl, waitPidfd } from "../native/syscalls.ts";

const SI_CODE = SLOT.siginfo + 8;
const SI_PID = SLOT.siginfo + 16;
const SI_STATUS = SLOT.siginfo + 24;
const CLD_EXITED = 1;
const CLD_KILLED = 2;
const CLD_DUMPED = 3;

/** PIDFD_GET_INFO with the 64 bytes of its first version; PIDFD_INFO_EXIT came with Linux 6.15. */
const PIDFD_GET_INFO = 0xc040ff0b;
const PIDFD_INFO_EXIT = 8;
const info = new DataView(new ArrayBuffer(72));
/** The same with the 72 bytes of Linux 6.16, which brought PIDFD_INFO_COREDUMP. */
const PIDFD_GET_INFO_72 = 0xc048ff0b;
const PIDFD_INFO_COREDUMP = 16;

/**
 * Reaps the child of a slot and closes its pidfd. `now`, in milliseconds of CLOCK_MONOTONIC, goes down as its end.
 *
 * @returns "reaped"; "busy" while another thread signals the child, a moment; "held" while the kernel does not give it
 * away, as to one whose debugger is to have it first: ask again.
 */
export function reap(region: Region, index: number, now: number, ownPeakKiB: number): "reaped" | "busy" | "held" {
  const at = region.slot(index);
  const state = at >> 2;
  const words = region.words;
  // Whoever signals the child holds SIGNALING; nobody may use the pidfd once the state is EXITED.
  const before = Atomics.compareExchange(words, state, STATE.running, STATE.exited);
  if (before !== STATE.running && before !== STATE.exited) return "busy";
  const pidfd = words[(at + SLOT.pidfd) >> 2] ?? -1;
  if ((words[(at + SI_PID) >> 2] ?? 0) === 0) {
    const address = region.address + at;
    const result = waitPidfd(pidfd, address + SLOT.siginfo, address + SLOT.rusage);
    if (result === 0 && words[(at + SI_PID) >> 2] === 0) {
      Atomics.store(words, state, STATE.running);
      return "held";
    }
    if (result < 0) stolen(words, at, pidfd);
    if (words[(at + SI_CODE) >> 2] === CLD_DUMPED) words[(at + SLOT.coreMask) >> 2] = coreMask(pidfd);
    words[(at + SLOT.parentPeak) >> 2] = ownPeakKiB;
    region.doubles[(at + SLOT.endedMs) >> 3] = now;
  }
  if (pidfd >= 0) {
    words[(at + SLOT.pidfd) >> 2] = -1;
    close(pidfd);
  }
  return "reaped";
}

/** Foreign code has waited for our child. Newer kernels still tell the status to holders of the pidfd. */
function stolen(words: Int32Array, at: number, pidfd: number): void {
  info.setUint32(0, PIDFD_INFO_EXIT, true);
  info.setUint32(4, 0, true);
  const result = ioctl(pidfd, PIDFD_GET_INFO, info);
  words[(at + SLOT.siginfo) >> 2] = 0;
  words[(at + SI_PID) >> 2] = words[(at + SLOT.pid) >> 2] ?? 0;
  words[(at + SI_CODE) >> 2] = 0;
  if (result < 0 || (info.getUint32(0, true) & PIDFD_INFO_EXIT) === 0) return;
  const status = info.getInt32(60, true);
  const signal = status & 0x7f;
  words[(at + SI_CODE) >> 2] = signal === 0 ? CLD_EXITED : (status & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED;
  words[(at + SI_STATUS) >> 2] = signal === 0 ? (status >> 8) & 0xff : signal;
}

/** How the core was dumped, as far as the kernel tells holders of the pidfd; 0 where it does not. */
function coreMask(pidfd: number): number {
  // Of one that was reaped the kernel tells nothing, unless asked for its exit too.
  info.setUint32(0, PIDFD_INFO_EXIT | PIDFD_INFO_COREDUMP, true);
  info.setUint32(4, 0, true);
  const result = ioctl(pidfd, PIDFD_GET_INFO_72, info);
  return result < 0 || (info.getUint32(0, true) & PIDFD_INFO_COREDUMP) === 0 ? 0 : info.getUint32(64, true);
}
