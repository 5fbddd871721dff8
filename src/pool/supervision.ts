// Supervision of the children of one launcher: looks for exits and output,
// reaps, collects, meets deadlines, and sends what happened up in batches. All
// that must outlive it is in the region and the epoll set; a successor goes on
// with both. See protocol.ts for what crosses.
import { receiveMessageOnPort } from "node:worker_threads";
import { INIT_LOST, LAUNCHER, NOTICE_END, NOTIFY, SLOT, SPEAKS, STAGES, STATE } from "../native/layout.ts";
import { WAKE_TOKEN } from "../native/launcher.ts";
import { native } from "../native/load.ts";
import { Region } from "../native/region.ts";
import {
  awaitPidfd,
  close,
  drainEventfd,
  EPOLL_EVENT,
  epollDelete,
  epollWait,
  isHungUp,
  nap,
  ownPeakRss,
  pidfdSendSignal,
  ring,
} from "../native/syscalls.ts";
import { monotonicNow, reasonCode } from "../process/report.ts";
import { SIGKILL } from "../process/signals.ts";
import { Capture } from "./capture.ts";
import { endGroups } from "./end-groups.ts";
import { Gathering } from "./gathering.ts";
import { Listeners } from "./notify/listeners.ts";
import { OutputWriter } from "./output-batch.ts";
import { NOTIFY_SOCKET, RECORD, type StopMessage, type SupervisorStart } from "./protocol.ts";
import { reap } from "./reaper.ts";
import { ReportWriter } from "./report-ring.ts";
import { signalChild } from "./signal-child.ts";
import { Slots } from "./slots.ts";
import { Stopper } from "./stopper.ts";
import { takeOver } from "./succession.ts";

const MAX_EVENTS = 512;
/** These take some 100 µs together. */
const EXITS_PER_LOOK = 32;
/** Batches that are gathered before a message is sent, when exits pour in. */
const MAX_ROUNDS = 8;
const WATCH_FAILED = STAGES.indexOf("watch");

/** One at a time for each region. */
export class Supervision {
  readonly #begin: SupervisorStart;
  readonly #slots: Slots;
  readonly #stopper: Stopper;
  readonly #listeners: Listeners;
  readonly #reports: ReportWriter;
  readonly #outputs = new OutputWriter();
  readonly #tellOwner = (): void => void ring(this.#begin.bell);
  readonly #captures = new Map<number, Capture>();
  /** Reaped children whose output another process still holds. */
  readonly #lingering = new Set<number>();
  readonly #events = new Int32Array(MAX_EVENTS * EPOLL_EVENT.WORDS);
  readonly #eventsAddress = native().addressOf(this.#events);
  readonly #gathering = new Gathering();
  readonly #number: number;
  #noticesTail: number;
  /** The time and this process's peak RSS, read when first needed in a round and after so many exits. */
  #now = 0;
  #ownPeak = 0;
  #reaped = 0;

  constructor(begin: SupervisorStart) {
    this.#begin = begin;
    const slots = new Slots(Region.attach(begin.region));
    this.#slots = slots;
    this.#reports = new ReportWriter(slots.region);
    this.#stopper = new Stopper(slots, {
      graceOver: (slot) => this.#endGrace(slot),
      poll: (slot) => this.#poll(slot),
      watchdogDue: (slot) => this.#listeners.drain(slot),
      deafnessOver: (slot) => this.#listeners.listen(slot),
    });
    this.#listeners = new Listeners(slots, begin.epoll, this.#stopper);
    this.#noticesTail = slots.region.header(LAUNCHER.noticesTail);
    // What the first one finds was read by nobody.
    const before = slots.region.header(LAUNCHER.supervisions);
    const lost = before > 0;
    this.#number = before + 1;
    slots.region.setHeader(LAUNCHER.supervisions, this.#number);
    takeOver(slots, this.#stopper, {
      inheritOutput: (slot) => this.#captures.set(slot, new Capture(slots.region, slot, begin.epoll, lost)),
      listen: (slot) => {
        if (this.#speaks(slot)) this.#listeners.listen(slot);
        this.#stopper.resumeWatchdog(slot);
      },
      reap: (slot) => this.#sweepAndReap(slot),
      notice: (slot) => this.#notice(slot, false),
    });
    this.#flush();
  }

  /** Whether another one has begun since. */
  get superseded(): boolean {
    return this.#slots.region.header(LAUNCHER.supervisions) !== this.#number;
  }

  /** Whether it was told to end. */
  get isOver(): boolean {
    return this.#slots.region.header(LAUNCHER.supervisorStop) !== 0;
  }

  /** Sleeps until something happens, `longest` milliseconds at most, and does what there is to do. Returns whether anything has happened. */
  turn(longest: number): boolean {
    const { region } = this.#slots;
    const { epoll } = this.#begin;
    // The launcher writes to the eventfd only while this says that we sleep; we look for notices after
    // saying so. One of the two sees the other.
    region.setHeader(LAUNCHER.watcherSleeping, 1);
    let n = epollWait(epoll, this.#eventsAddress, MAX_EVENTS, this.#timeout(longest));
    region.setHeader(LAUNCHER.watcherSleeping, 0);
    this.#reaped = 0;
    try {
      for (let round = 1; ; round++) {
        this.#handle(n);
        if (n < MAX_EVENTS || round === MAX_ROUNDS) break;
        n = epollWait(epoll, this.#eventsAddress, MAX_EVENTS, 0);
      }
    } catch (error) {
      // What was heard and collected until then no successor would find.
      this.#flush();
      throw error;
    }
    this.#readNotices();
    this.#stopper.meet();
    this.#flush();
    // What was read is told by now: a successor need not read it again.
    region.setHeader(LAUNCHER.noticesTail, this.#noticesTail);
    return n > 0;
  }

  /** After a turn in which something has happened: naps while it costs nothing, so that more comes together. */
  gather(): void {
    const { region } = this.#slots;
    const tail = region.header(LAUNCHER.tail);
    const waiting = (region.header(LAUNCHER.head) - tail) | 0;
    const microseconds = this.#gathering.nap(waiting, tail, monotonicNow());
    if (microseconds > 0) nap(Math.min(microseconds, this.#stopper.wait * 1000));
  }

  #timeout(longest: number): number {
    if (this.#slots.region.header(LAUNCHER.noticesHead) !== this.#noticesTail) return 0;
    return Math.min(this.#stopper.wait, longest);
  }

  #handle(n: number): void {
    const events = this.#events;
    const slots = this.#slots;
    let swept = -1;
    for (let i = 0; i < n; i++) {
      const at = i * EPOLL_EVENT.WORDS + EPOLL_EVENT.data;
      const token = events[at] ?? 0;
      if (token === WAKE_TOKEN) {
        this.#readMessages();
        continue;
      }
      const slot = token & 0xffffff;
      // An fd that was closed earlier in this batch may still have an event in it.
      if (slots.generation(slot) !== events[at + 1]) continue;
      // Nor does closing end the events at once while a child between clone and exec has a copy of the fd.
      const live = slots.isLive(slot);
      const kind = token >>> 24;
      if (kind === 0 && live) {
        // Who is stopped after the sweep needs another one.
        if (swept !== this.#stopper.stops) this.#sweep(this.#exits(i, n));
        swept = this.#stopper.stops;
        this.#reap(slot);
      } else if (kind >= NOTIFY_SOCKET) {
        if (live) this.#listeners.hear(slot, kind);
      } else if (kind > 0 && (live || this.#lingering.has(slot))) this.#readOutput(slot, kind - 1);
    }
  }

  // ---- exits

  /** Slots whose children have ended, by the events of this batch from there on. */
  #exits(from: number, n: number): number[] {
    const events = this.#events;
    const slots = this.#slots;
    const ended: number[] = [];
    for (let i = from; i < n; i++) {
      const at = i * EPOLL_EVENT.WORDS + EPOLL_EVENT.data;
      const slot = events[at] ?? 0;
      if (slot >>> 24 === 0 && slots.generation(slot) === events[at + 1] && slots.isLive(slot)) ended.push(slot);
    }
    return ended;
  }

  /** Ends what children leave behind, while their pids are still their own, and those who speak for them can be found. */
  #sweep(ended: readonly number[]): void {
    for (const slot of ended) if (this.#speaks(slot)) this.#listeners.drain(slot);
    endGroups(this.#slots, ended);
  }

  #reap(slot: number): void {
    const slots = this.#slots;
    if (this.#reaped++ % EXITS_PER_LOOK === 0) {
      this.#now = monotonicNow();
      this.#ownPeak = ownPeakRss();
    }
    const outcome = reap(slots.region, slot, this.#now, this.#ownPeak);
    // The pidfd stays readable, and epoll says so again.
    if (outcome === "busy") return;
    if (outcome === "held") {
      // It stays readable for as long as that takes: look now and then instead of spinning.
      this.#stopper.startPolling(slot);
      epollDelete(this.#begin.epoll, slots.get(slot, SLOT.pidfd));
      return;
    }
    const init = slots.get(slot, SLOT.init);
    if (init >= 0) {
      // The kernel closes a process's files before it kills those in its namespace.
      if (isHungUp(slots.get(slot, SLOT.life))) slots.set(slot, SLOT.init, INIT_LOST);
      // What it leaves behind in its own pid namespace would hold its output open.
      else pidfdSendSignal(init, SIGKILL);
    }
    this.#stopper.clear(slot);
    if (this.#speaks(slot)) this.#listeners.close(slot);
    if (slots.get(slot, SLOT.captures) === 0) {
      this.#report(RECORD.exited, slot);
      return;
    }
    const capture = this.#capture(slot);
    if (slots.get(slot, SLOT.stage) === WATCH_FAILED) {
      // For the pool this is a failed launch. Nobody takes what its child has written, and the slot's next child must not find it.
      capture.discard();
      this.#captures.delete(slot);
      this.#report(RECORD.exited, slot);
      return;
    }
    const within = capture.drain();
    // What the child left in the pipe may exceed the limit: the same end as if it had been seen a moment sooner.
    if (!within && slots.get(slot, SLOT.reason) === 0) slots.set(slot, SLOT.reason, reasonCode("output-limit"));
    if (capture.ended) {
      this.#finish(slot, capture);
    } else {
      this.#lingering.add(slot);
      this.#stopper.startGrace(slot);
    }
  }

  #sweepAndReap(slot: number): void {
    this.#sweep([slot]);
    this.#reap(slot);
  }

  #poll(slot: number): void {
    this.#sweepAndReap(slot);
    if (this.#slots.isLive(slot)) this.#stopper.startPolling(slot);
  }

  #report(record: number, slot: number, capture?: Capture): void {
    const generation = this.#slots.generation(slot);
    const last = record === RECORD.exited && this.#speaks(slot);
    // The ring is faster than the port: an end must not outrun the last words.
    if (last) this.#listeners.tell(slot, this.#outputs);
    if (capture === undefined && !last) this.#reports.add(record, slot, generation, this.#tellOwner);
    else this.#outputs.add(record, slot, generation, capture?.outputs() ?? []);
  }

  #speaks(slot: number): boolean {
    return (this.#slots.get(slot, SLOT.speaks) & SPEAKS.yes) !== 0;
  }

  #flush(): void {
    this.#reports.publish(this.#tellOwner);
    this.#listeners.tellAll(this.#outputs);
    this.#outputs.flush(this.#begin.port);
  }

  // ---- output

  #capture(slot: number): Capture {
    let capture = this.#captures.get(slot);
    if (capture === undefined) {
      capture = new Capture(this.#slots.region, slot, this.#begin.epoll, false);
      this.#captures.set(slot, capture);
    }
    return capture;
  }

  #readOutput(slot: number, stream: number): void {
    const capture = this.#capture(slot);
    const within = capture.readOne(stream);
    const lingering = this.#lingering.has(slot);
    // First the signal, then the broken pipe: SIGPIPE must not come before killSignal.
    if (!within && !lingering) {
      this.#awaitRunning(slot);
      this.#stopper.stop(slot, reasonCode("output-limit"), this.#slots.get(slot, SLOT.killSignal));
    }
    if (!within) capture.shut(stream);
    if (lingering && capture.ended) this.#finish(slot, capture);
  }

  /** A child that writes has passed exec, but its launcher may not have seen it. */
  #awaitRunning(slot: number): void {
    for (let naps = 0; naps < 1000 && this.#slots.state(slot) === STATE.launching; naps++) nap(100);
  }

  #endGrace(slot: number): void {
    const capture = this.#capture(slot);
    capture.drain();
    capture.abandon();
    this.#finish(slot, capture);
  }

  #finish(slot: number, capture: Capture): void {
    this.#lingering.delete(slot);
    this.#captures.delete(slot);
    this.#stopper.clear(slot);
    this.#report(RECORD.exited, slot, capture);
  }

  // ---- from the launcher and from the pool

  #readNotices(): void {
    const { region } = this.#slots;
    const head = region.header(LAUNCHER.noticesHead);
    while (this.#noticesTail !== head) {
      const notice = region.notice(this.#noticesTail);
      this.#noticesTail = (this.#noticesTail + 1) | 0;
      this.#notice(notice & ~NOTICE_END, (notice & NOTICE_END) !== 0);
    }
  }

  /** @param over Whether the launcher has said that it is done: until then a child that runs may be one that cannot be watched. */
  #notice(slot: number, over: boolean): void {
    const slots = this.#slots;
    switch (slots.state(slot)) {
      case STATE.failed:
        this.#discard(slot, RECORD.failed);
        break;
      case STATE.cancelled:
        this.#discard(slot, RECORD.cancelled);
        break;
      case STATE.launching:
        this.#stopper.startTimeout(slot);
        this.#stopper.resumeWatchdog(slot);
        break;
      case STATE.running:
      case STATE.signaling:
        this.#stopper.startTimeout(slot);
        this.#stopper.resumeWatchdog(slot);
        if (slots.get(slot, SLOT.stage) === WATCH_FAILED) {
          signalChild(slots.region, slot, SIGKILL, false);
          this.#stopper.startPolling(slot);
        } else if (over && (slots.get(slot, SLOT.notify) & NOTIFY.end) !== 0) {
          this.#report(RECORD.launched, slot);
        }
        break;
    }
  }

  /** The launch came to nothing: no child, no output. */
  #discard(slot: number, record: number): void {
    if (this.#slots.get(slot, SLOT.captures) > 0) {
      this.#capture(slot).discard();
      this.#captures.delete(slot);
    }
    if (this.#speaks(slot)) this.#listeners.forget(slot);
    // A deputy of the launcher could not wait for a child that failed before exec.
    const pidfd = this.#slots.get(slot, SLOT.pidfd);
    if (record === RECORD.failed && pidfd >= 0) {
      awaitPidfd(pidfd);
      close(pidfd);
      this.#slots.set(slot, SLOT.pidfd, -1);
    }
    this.#stopper.clear(slot);
    this.#report(record, slot);
  }

  #readMessages(): void {
    drainEventfd(this.#begin.wake);
    const slots = this.#slots;
    for (;;) {
      const received = receiveMessageOnPort(this.#begin.port);
      if (received === undefined) return;
      const { slot, generation, reason, signal } = received.message as StopMessage;
      if (typeof slot !== "number") throw new TypeError("a supervisor got a message that it does not know");
      if (slots.generation(slot) === generation && slots.isLive(slot)) this.#stopper.stop(slot, reason, signal);
    }
  }
}
