// How a supervisor thread takes over from one that died: from the slots alone.
import { SLOT, STATE } from "../native/layout.ts";
import { SLOT_COUNT } from "../native/region.ts";
import { nap } from "../native/syscalls.ts";
import { SIGKILL } from "../process/signals.ts";
import { HELD_AT_MOST } from "./signal-child.ts";
import type { Slots } from "./slots.ts";
import type { Stopper } from "./stopper.ts";

/** What the successor does with the slots that it finds. */
export interface Successor {
  /** Captured output of this slot may be lost in part. */
  inheritOutput(slot: number): void;
  /** Hears of this child again. */
  listen(slot: number): void;
  /** Reports what was reaped but perhaps not reported. */
  reap(slot: number): void;
  /** Reads the notice that may have been lost: it runs. */
  notice(slot: number): void;
}

/**
 * Goes on with all that a dead predecessor had in hand, and says again what it may have said. Not of slots that failed or
 * were cancelled: the launcher's notices say when it is done with those, and none counts as read before it was told.
 */
export function takeOver(slots: Slots, stopper: Stopper, successor: Successor): void {
  const live: number[] = [];
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    if (slots.state(slot) === STATE.signaling) release(slots, slot);
    const state = slots.state(slot);
    if (state === STATE.free && slots.generation(slot) === 0) break;
    if (slots.isLive(slot) || state === STATE.exited) {
      if (slots.get(slot, SLOT.captures) > 0) successor.inheritOutput(slot);
      if (state === STATE.exited) successor.reap(slot);
      else live.push(slot);
    }
  }
  // Deadlines of one duration have to be set in their order.
  live.sort((a, b) => slots.started(a) - slots.started(b));
  for (const slot of live) {
    successor.listen(slot);
    successor.notice(slot);
    stopper.resumePolling(slot);
    const reason = slots.get(slot, SLOT.reason);
    const asked = slots.get(slot, SLOT.stopRequest);
    // One that was already being ended gets the last word now.
    if (reason !== 0) stopper.stop(slot, reason, SIGKILL);
    else if (asked !== 0) stopper.stop(slot, asked & 0xff, asked >> 8);
  }
}

/** The predecessor may have died while it held this slot; a living thread lets go at once. */
function release(slots: Slots, slot: number): void {
  nap(HELD_AT_MOST * 1000 - 1);
  slots.advance(slot, STATE.signaling, slots.get(slot, SLOT.ran) === 1 ? STATE.running : STATE.launching);
}
