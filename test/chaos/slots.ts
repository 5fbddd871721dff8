// What the slots of a pool hold, for a round that does not end.
import { readFileSync } from "node:fs";
import type { ProcessPool } from "pidpool";
import { LAUNCHER, SLOT, STATE } from "#pidpool/native/layout.js";
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

/** The fds that an epoll set holds. */
function watched(epoll: number): Set<number> {
  const info = readFileSync(`/proc/self/fdinfo/${epoll}`, "latin1");
  return new Set([...info.matchAll(/^tfd:\s*(\d+)/gm)].map(([, fd]) => Number(fd)));
}

/** A line for each supervisor, and for each slot that is taken. */
export function takenSlots(pool: ProcessPool): string[] {
  return (supervisorsOf(pool)?.all ?? []).flatMap(({ launcher: { region, epoll } }, supervisor) => {
    const fds = watched(epoll);
    const header = (["supervisions", "supervisorStop", "watcherSleeping", "noticesHead", "noticesTail"] as const)
      .map((name) => `${name} ${region.header(LAUNCHER[name])}`)
      .join(", ");
    const slots = new Slots(region);
    const names = Object.entries(STATE);
    const lines = Array.from({ length: SLOT_COUNT }, (_, slot) => slot)
      .filter((slot) => slots.generation(slot) > 0 && slots.state(slot) !== STATE.free)
      .map((slot) => {
        const state = names.find(([, value]) => value === slots.state(slot))?.[0];
        const pid = slots.get(slot, SLOT.pid);
        const facts = (["generation", "pidfd", "reason", "stopRequest", "captures", "stage", "error", "ran"] as const)
          .map((name) => `${name} ${slots.get(slot, SLOT[name])}`)
          .join(", ");
        const seen = fds.has(slots.get(slot, SLOT.pidfd)) ? "watched" : "not watched";
        return `supervisor ${supervisor}, slot ${slot}: ${state}, pid ${pid} (${about(pid)}), ${seen}, ${facts}`;
      });
    return [`supervisor ${supervisor}: ${header}`].concat(lines);
  });
}
