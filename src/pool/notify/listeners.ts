// What children say of themselves, in the supervisor thread: received, checked,
// acted upon where a watchdog hangs on it, and gathered for the pool's thread. A
// child is heard so many times in a while and no more: one that floods its socket
// waits for room in it.
import { EAGAIN, EINTR } from "../../native/errno.ts";
import { DatagramBuffer } from "../../native/datagrams.ts";
import { SLOT, SPEAKS, STATE } from "../../native/layout.ts";
import { native } from "../../native/load.ts";
import { close, epollAdd, epollDelete, nap, read } from "../../native/syscalls.ts";
import {
  type Assignments,
  formatMessage,
  Gathered,
  LONGEST_MESSAGE,
  parseMessage,
  watchdogPeriod,
} from "../../process/notify-message.ts";
import { monotonicNow, reasonCode } from "../../process/report.ts";
import { SIGABRT } from "../../process/signals.ts";
import type { OutputWriter } from "../output-batch.ts";
import { eventToken, NOTIFY_FD, NOTIFY_SOCKET, RECORD } from "../protocol.ts";
import type { Slots } from "../slots.ts";
import type { Stopper } from "../stopper.ts";
import { Kin } from "./sender.ts";

/** A child is heard so often within so many milliseconds, and so many messages each time. */
const WINDOW = 100;
const HEARINGS = 16;
const MESSAGES = 64;
/** Milliseconds. Who must be looked for far up in /proc takes longer, and is heard less often. */
const HEARING = 0.5;
/** More than a queue holds (net.unix.max_dgram_qlen), but a grandchild may go on sending. */
const MESSAGES_AT_END = 1024;
/** What a notification fd may carry before its newline. */
const LONGEST_LINE = 4096;

const READY: Assignments = new Map([["READY", "1"]]);
const NEWLINE = 10;
const encoder = new TextEncoder();

interface Speaker {
  kin: Kin | undefined;
  readonly gathered: Gathered;
  windowAt: number;
  hearings: number;
  lineLength: number;
}

/** The ears of one supervisor. Owns, in the slots: the sockets and notification fds of live children. */
export class Listeners {
  readonly #slots: Slots;
  readonly #epoll: number;
  readonly #stopper: Stopper;
  readonly #speakers = new Map<number, Speaker>();
  /** Slots of which something is to be told. */
  readonly #talking = new Set<number>();
  #buffer: DatagramBuffer | undefined;

  constructor(slots: Slots, epoll: number, stopper: Stopper) {
    this.#slots = slots;
    this.#epoll = epoll;
    this.#stopper = stopper;
  }

  /** There is something to hear from a live child. */
  hear(slot: number, kind: number): void {
    if (kind === NOTIFY_FD) {
      this.#readFd(slot);
      return;
    }
    const speaker = this.#speaker(slot);
    const now = monotonicNow();
    if (now - speaker.windowAt >= WINDOW) {
      speaker.windowAt = now;
      speaker.hearings = 0;
    }
    if (speaker.hearings < HEARINGS) {
      this.#receive(slot, speaker, MESSAGES);
      speaker.hearings += Math.max(1, (monotonicNow() - now) / HEARING);
      return;
    }
    epollDelete(this.#epoll, this.#slots.get(slot, SLOT.notifySocket));
    this.#stopper.startDeafness(slot, speaker.windowAt + WINDOW - now);
  }

  /** Watches again a child that is to be heard again, or that a predecessor has left. */
  listen(slot: number): void {
    const slots = this.#slots;
    for (const [field, kind] of [
      [SLOT.notifySocket, NOTIFY_SOCKET],
      [SLOT.notifyFd, NOTIFY_FD],
    ] as const) {
      const fd = slots.get(slot, field);
      // EEXIST is as good.
      if (fd >= 0) epollAdd(this.#epoll, fd, eventToken(slot, kind), slots.generation(slot));
    }
  }

  /** Hears all that a child has said by now: before its end is reported, or before its watchdog bites. */
  drain(slot: number): void {
    if (this.#slots.get(slot, SLOT.notifySocket) >= 0) this.#receive(slot, this.#speaker(slot), MESSAGES_AT_END);
    while (this.#readFd(slot));
  }

  /** The child cannot say anything any more. */
  close(slot: number): void {
    this.#close(slot, SLOT.notifySocket);
    this.#close(slot, SLOT.notifyFd);
  }

  /** Tells what this child has said, which is to come before its end. */
  tell(slot: number, outputs: OutputWriter): void {
    this.#talking.delete(slot);
    const generation = this.#slots.generation(slot);
    for (const message of this.#speakers.get(slot)?.gathered.take() ?? []) {
      const bytes = encoder.encode(formatMessage(message));
      outputs.add(RECORD.notified, slot, generation, [{ fd: 0, flags: 0, bytes }]);
    }
    if (!this.#slots.isLive(slot)) this.#speakers.delete(slot);
  }

  /** Tells what all have said. */
  tellAll(outputs: OutputWriter): void {
    for (const slot of this.#talking) this.tell(slot, outputs);
  }

  /** Forgets a slot whose child is over. */
  forget(slot: number): void {
    this.close(slot);
    this.#talking.delete(slot);
    this.#speakers.delete(slot);
  }

  #speaker(slot: number): Speaker {
    let speaker = this.#speakers.get(slot);
    if (speaker === undefined) {
      speaker = { kin: undefined, gathered: new Gathered(), windowAt: -Infinity, hearings: 0, lineLength: 0 };
      this.#speakers.set(slot, speaker);
    }
    return speaker;
  }

  #receive(slot: number, speaker: Speaker, most: number): void {
    const fd = this.#slots.get(slot, SLOT.notifySocket);
    const buffer = (this.#buffer ??= new DatagramBuffer(LONGEST_MESSAGE));
    speaker.kin?.forget();
    for (let i = 0; i < most; i++) {
      const length = buffer.receive(fd);
      if (length === -EAGAIN) return;
      if (length < 0 || buffer.truncated) continue;
      speaker.kin ??= this.#kinOf(slot);
      if (!speaker.kin.has(buffer.sender)) continue;
      const message = parseMessage(buffer.bytes.subarray(0, length));
      if (message !== undefined) this.#take(slot, speaker, message);
    }
  }

  #kinOf(slot: number): Kin {
    const slots = this.#slots;
    // One that speaks has passed exec, but its launcher may not have written down its pid.
    for (let naps = 0; naps < 1000 && slots.state(slot) === STATE.launching; naps++) nap(100);
    return new Kin(slots.get(slot, SLOT.pid), {
      ownNamespace: slots.get(slot, SLOT.life) >= 0,
      ownGroup: (slots.get(slot, SLOT.speaks) & SPEAKS.ownGroup) !== 0,
    });
  }

  #take(slot: number, speaker: Speaker, message: Assignments): void {
    speaker.gathered.add(message);
    if (!speaker.gathered.isEmpty) this.#talking.add(slot);
    this.#watch(slot, message);
  }

  /** What a message means for the child's watchdog. */
  #watch(slot: number, message: Assignments): void {
    const slots = this.#slots;
    const stopper = this.#stopper;
    const ready = message.get("READY") === "1";
    if (ready) slots.set(slot, SLOT.speaks, slots.get(slot, SLOT.speaks) | SPEAKS.wasReady);
    const period = watchdogPeriod(message);
    if (period !== undefined) slots.set(slot, SLOT.watchdog, period);
    const begun = (slots.get(slot, SLOT.speaks) & (SPEAKS.wasReady | SPEAKS.watchedFromExec)) !== 0;
    const pinged = message.get("WATCHDOG") === "1" && slots.get(slot, SLOT.watched) !== 0;
    // A program that ends as it should says so, and owes no more pings.
    if (message.get("STOPPING") === "1") stopper.stopWatchdog(slot);
    else if (ready || pinged || (begun && period !== undefined)) stopper.startWatchdog(slot);
    if (message.get("WATCHDOG") === "trigger") stopper.stop(slot, reasonCode("watchdog"), SIGABRT);
  }

  /** Reads once from the notification fd; true where there may be more. */
  #readFd(slot: number): boolean {
    const fd = this.#slots.get(slot, SLOT.notifyFd);
    if (fd < 0) return false;
    const { bytes } = (this.#buffer ??= new DatagramBuffer(LONGEST_MESSAGE));
    const length = read(fd, native().addressOf(bytes), bytes.length);
    if (length === -EAGAIN || length === -EINTR) return false;
    const speaker = this.#speaker(slot);
    const ready = length > 0 && bytes.subarray(0, length).includes(NEWLINE);
    speaker.lineLength += Math.max(0, length);
    if (ready) this.#take(slot, speaker, READY);
    if (length > 0 && !ready && speaker.lineLength < LONGEST_LINE) return true;
    this.#close(slot, SLOT.notifyFd);
    return false;
  }

  #close(slot: number, field: typeof SLOT.notifySocket | typeof SLOT.notifyFd): void {
    const fd = this.#slots.get(slot, field);
    if (fd < 0) return;
    // First forgotten, then closed: a successor must not close a number that is another's by then.
    this.#slots.set(slot, field, -1);
    close(fd);
  }
}
