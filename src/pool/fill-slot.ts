// What the pool writes into a slot before a launch.
import { CAPTURE, LEADER, NOTIFY, SLOT, SPEAKS, TAIL_ONLY } from "../native/layout.ts";
import type { Child } from "./child.ts";
import { MANNER_SHIFT } from "./pass-on.ts";
import type { OwnEnd, Plumbing } from "./plumbing.ts";
import { eventToken } from "./protocol.ts";
import type { Slots } from "./slots.ts";

const NONE: readonly OwnEnd[] = [];

/** Sets every field that a launch, its supervisor or its report will read, but the state and the spec. */
export function fillSlot(
  slots: Slots,
  slot: number,
  { spec, announce, ground }: Child,
  plumbing: Plumbing | undefined,
): void {
  const captures = plumbing?.captures ?? NONE;
  const { notify } = spec;
  const { words, doubles } = slots.region;
  const at = slots.region.slot(slot);
  const set = (field: number, value: number): void => void (words[(at + field) >> 2] = value);
  const generation = (slots.generation(slot) + 1) | 0;
  set(SLOT.generation, generation);
  set(SLOT.token, eventToken(slot, 0));
  set(SLOT.token + 4, generation);
  set(
    SLOT.notify,
    (spec.timeout > 0 || notify?.watchedFromExec === true ? NOTIFY.begin : 0) | (announce ? NOTIFY.end : 0),
  );
  set(SLOT.stage, 0);
  // Between QUEUED and the launch's own first steps, others may look at these.
  set(SLOT.pidfd, -1);
  set(SLOT.ran, 0);
  set(SLOT.leader, spec.leader ? (spec.sweeps ? LEADER.sweeps : LEADER.yes) : LEADER.no);
  set(SLOT.reason, 0);
  set(SLOT.killSignal, spec.killSignal);
  set(SLOT.lastSignal, 0);
  set(SLOT.stopSignal, 0);
  set(SLOT.stopRequest, 0);
  set(SLOT.timeout, spec.timeout);
  set(SLOT.killAfter, spec.killAfter);
  set(SLOT.outputGrace, spec.outputGrace);
  set(SLOT.siginfo, 0);
  set(SLOT.siginfo + 16, 0);
  set(SLOT.wantsBytes, spec.encoding === "buffer" ? 1 : 0);
  set(SLOT.init, ground?.init ?? -1);
  set(SLOT.life, ground?.life ?? -1);
  // The other fields of notify count only where it speaks.
  set(SLOT.speaks, 0);
  set(SLOT.watched, 0);
  set(SLOT.polled, 0);
  if (notify !== undefined) {
    const ownGroup = ground !== undefined && ground.cgroup >= 0;
    const fromExec = notify.watchedFromExec ? SPEAKS.watchedFromExec : 0;
    set(SLOT.speaks, SPEAKS.yes | fromExec | (ownGroup ? SPEAKS.ownGroup : 0));
    set(SLOT.notifySocket, plumbing?.notifySocket?.fd ?? -1);
    set(SLOT.notifyFd, plumbing?.notifyFd ?? -1);
    set(SLOT.watchdog, notify.watchdog);
  }
  set(SLOT.captures, captures.length);
  let record = SLOT.capture;
  for (const { fd, target, passOn } of captures) {
    set(record + CAPTURE.fd, fd);
    if (passOn === undefined) {
      set(record + CAPTURE.target, target);
      doubles[(at + record + CAPTURE.limit) >> 3] = spec.maxOutput;
    } else {
      set(record + CAPTURE.target, target | TAIL_ONLY);
      set(record + CAPTURE.passTo, passOn.fd);
      set(record + CAPTURE.tail, spec.stderrTail | (passOn.manner << MANNER_SHIFT));
    }
    record += CAPTURE.SIZE;
  }
}
