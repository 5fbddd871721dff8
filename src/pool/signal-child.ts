// A signal to the child of a slot, from any thread: to the process meant, or
// nowhere.
import { SLOT, STATE } from "../native/layout.ts";
import type { Region } from "../native/region.ts";
import { kill, pidfdSendSignal } from "../native/syscalls.ts";

/**
 * Sends a signal through the pidfd; with `group`, to the process group that the child leads. The slot's state
 * is held meanwhile, so that neither pidfd nor pid can become another's.
 *
 * @returns 0, -errno, or undefined where the child is not there (any more).
 */
export function signalChild(region: Region, index: number, signal: number, group: boolean): number | undefined {
  const at = region.slot(index);
  const { words } = region;
  const state = at >> 2;
  let held: number = STATE.running;
  if (Atomics.compareExchange(words, state, STATE.running, STATE.signaling) !== STATE.running) {
    held = STATE.launching;
    if (Atomics.compareExchange(words, state, STATE.launching, STATE.signaling) !== STATE.launching) {
      return undefined;
    }
  }
  try {
    const pidfd = Atomics.load(words, (at + SLOT.pidfd) >> 2);
    if (pidfd < 0) return undefined;
    const pid = words[(at + SLOT.pid) >> 2] ?? 0;
    // Before exec the group may not be there yet.
    if (group && pid > 0 && held === STATE.running) return kill(-pid, signal);
    return pidfdSendSignal(pidfd, signal);
  } finally {
    Atomics.store(words, state, held);
  }
}
