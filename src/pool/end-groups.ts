// What children that have ended leave behind in their groups and sessions.
import { LEADER, SLOT, STATE } from "../native/layout.ts";
import { kill } from "../native/syscalls.ts";
import { SIGKILL } from "../process/signals.ts";
import { signalFamilies } from "../process/tree.ts";
import type { Slots } from "./slots.ts";

/**
 * Children have ended, and are not yet reaped: their pids, and so the ids of the groups or sessions that they led, are
 * nobody else's. Where we ended one, those that it leaves behind there go along; of one that ends by itself, a
 * service's only, and without a look through /proc. That takes as long as there are processes, so children that end
 * together share it.
 */
export function endGroups(slots: Slots, ended: readonly number[]): void {
  const roots: number[] = [];
  for (const slot of ended) {
    const leader = slots.get(slot, SLOT.leader);
    const ours = slots.get(slot, SLOT.reason) !== 0;
    if (leader === LEADER.no || (!ours && leader !== LEADER.sweeps)) continue;
    if (slots.state(slot) !== STATE.running) continue;
    const pid = slots.get(slot, SLOT.pid);
    kill(-pid, SIGKILL);
    if (ours) roots.push(pid);
  }
  if (roots.length > 0) signalFamilies(roots, SIGKILL, true);
}
