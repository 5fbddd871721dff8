// A signal to the child of a slot, from any thread: to the process meant, or
// nowhere.
import { performance } from "node:perf_hooks";
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
  const held = take(words, state);
  if (held === undefined) return undefined;
  try {
    const pidfd = Atomics.load(words, (at + SLOT.pidfd) >> 2);
    if (pidfd < 0) return undefined;
    const pid = words[(at + SLOT.pid) >> 2] ?? 0;
    // Before exec the group may not be there yet.
    if (group && pid > 0 && held === STATE.running) return kill(-pid, signal);
    return pidfdSendSignal(pidfd, signal);
  } finally {
    // A successor has let go in our stead where we were held up for long, and may have reaped since.
    Atomics.compareExchange(words, state, STATE.signaling, held);
  }
}

/** Milliseconds after which whoever holds a slot is taken for dead. A signal is one system call. */
export const HELD_AT_MOST = 100;

/** Turns RUNNING or LAUNCHING into SIGNALING and returns which it was; undefined where the child is gone. */
function take(words: Int32Array, state: number): number | undefined {
  let since = 0;
  for (;;) {
    const seen = Atomics.load(words, state);
    if (seen === STATE.running || seen === STATE.launching) {
      if (Atomics.compareExchange(words, state, seen, STATE.signaling) === seen) return seen;
    } else if (seen !== STATE.signaling) {
      return undefined;
    } else {
      // Another thread is sending a signal: the child is there.
      const now = performance.now();
      if (since === 0) since = now;
      else if (now - since > HELD_AT_MOST) return undefined;
    }
  }
}
