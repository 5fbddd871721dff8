// What the slots of a pool hold, for a round that does not end.
import { readFileSync } from "node:fs";
import type { ProcessPool } from "pidpool";
import { SLOT, STATE } from "#pidpool/native/layout.js";
import { SLOT_COUNT } from "#pidpool/native/region.js";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { Slots } from "#pidpool/pool/slots.js";

function about(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
    return `${command} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[0]}`;
  } catch {
    return "gone";
  }
}

/** A line for each slot that is taken. */
export function takenSlots(pool: ProcessPool): string[] {
  return (supervisorsOf(pool)?.all ?? []).flatMap(({ launcher: { region } }, supervisor) => {
    const slots = new Slots(region);
    const names = Object.entries(STATE);
    return Array.from({ length: SLOT_COUNT }, (_, slot) => slot)
      .filter((slot) => slots.generation(slot) > 0 && slots.state(slot) !== STATE.free)
      .map((slot) => {
        const state = names.find(([, value]) => value === slots.state(slot))?.[0];
        const pid = slots.get(slot, SLOT.pid);
        const facts = (["generation", "pidfd", "reason", "stopRequest", "captures", "stage", "error", "ran"] as const)
          .map((name) => `${name} ${slots.get(slot, SLOT[name])}`)
          .join(", ");
        return `supervisor ${supervisor}, slot ${slot}: ${state}, pid ${pid} (${about(pid)}), ${facts}`;
      });
  });
}
