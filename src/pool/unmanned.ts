// What the pool's thread does for a supervisor that has no thread: it reaps.
// Zombies count as processes of their user, and each still has a pidfd here;
// so a thread that cannot be started for want of either never could be.
import { SLOT, STATE } from "../native/layout.ts";
import { hasEnded, ownPeakRss } from "../native/syscalls.ts";
import { monotonicNow } from "../process/report.ts";
import { endGroups } from "./end-groups.ts";
import { reap } from "./reaper.ts";
import type { Slots } from "./slots.ts";

/** Reaps what has ended among the first `count` slots. The thread that comes reports it, as a successor does. */
export function reapUnmanned(slots: Slots, count: number): void {
  const ended: number[] = [];
  for (let slot = 0; slot < count; slot++) {
    if (slots.state(slot) === STATE.running && hasEnded(slots.get(slot, SLOT.pidfd))) ended.push(slot);
  }
  if (ended.length === 0) return;
  endGroups(slots, ended);
  const now = monotonicNow();
  const peak = ownPeakRss();
  for (const slot of ended) reap(slots.region, slot, now, peak);
}
