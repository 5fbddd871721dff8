// What the pool writes into a slot before a launch.
import { CAPTURE, NOTIFY, SLOT } from "../native/layout.ts";
import type { Child } from "./child.ts";
import type { OwnEnd } from "./plumbing.ts";
import { eventToken } from "./protocol.ts";
import type { Slots } from "./slots.ts";

/** Sets every field that a launch, its supervisor or its report will read, but the state and the spec. */
export function fillSlot(slots: Slots, slot: number, { spec, announce }: Child, captures: readonly OwnEnd[]): void {
  const generation = (slots.generation(slot) + 1) | 0;
  slots.set(slot, SLOT.generation, generation);
  slots.set(slot, SLOT.token, eventToken(slot, 0));
  slots.set(slot, SLOT.token + 4, generation);
  slots.set(slot, SLOT.notify, (spec.timeout > 0 ? NOTIFY.begin : 0) | (announce ? NOTIFY.end : 0));
  slots.set(slot, SLOT.stage, 0);
  slots.set(slot, SLOT.leader, spec.leader ? 1 : 0);
  slots.set(slot, SLOT.reason, 0);
  slots.set(slot, SLOT.killSignal, spec.killSignal);
  slots.set(slot, SLOT.lastSignal, 0);
  slots.set(slot, SLOT.stopRequest, 0);
  slots.set(slot, SLOT.timeout, spec.timeout);
  slots.set(slot, SLOT.killAfter, spec.killAfter);
  slots.set(slot, SLOT.outputGrace, spec.outputGrace);
  slots.set(slot, SLOT.siginfo, 0);
  slots.set(slot, SLOT.siginfo + 16, 0);
  slots.set(slot, SLOT.captures, captures.length);
  captures.forEach(({ fd, target }, i) => {
    const record = SLOT.capture + i * CAPTURE.SIZE;
    slots.set(slot, record + CAPTURE.fd, fd);
    slots.set(slot, record + CAPTURE.target, target);
    slots.region.doubles[(slots.region.slot(slot) + record + CAPTURE.limit) >> 3] = spec.maxOutput;
  });
}
