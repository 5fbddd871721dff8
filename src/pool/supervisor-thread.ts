// The supervisor thread: waits for exits and output of the children of one
// launcher, reaps, collects, enforces deadlines, and sends what happened up in
// batches. All that must outlive it is in the region and the epoll set; a
// successor goes on with both. See protocol.ts for what crosses.
import { receiveMessageOnPort } from "node:worker_threads";
import { native } from "../native/load.ts";
import { LAUNCHER, NOTIFY, SLOT, STAGES, STATE } from "../native/layout.ts";
import { WAKE_TOKEN } from "../native/launcher.ts";
import { Region, SLOT_COUNT } from "../native/region.ts";
import { drainEventfd, EPOLL_EVENT, epollDelete, epollWait, nap, ownPeakRss } from "../native/syscalls.ts";
import { monotonicNow, reasonCode } from "../process/report.ts";
import { SIGKILL } from "../process/signals.ts";
import { Capture } from "./capture.ts";
import { Deadlines } from "./deadlines.ts";
import { BatchWriter, RECORD, type StopMessage, type SupervisorStart } from "./protocol.ts";
import { reap } from "./reaper.ts";
import { HELD_AT_MOST, signalChild } from "./signal-child.ts";

const MAX_EVENTS = 512;
/** Batches that are gathered before a message is sent, when exits pour in. */
const MAX_ROUNDS = 8;
/**
 * Microseconds that a launch takes at least, and the longest nap. While launches wait in the launcher's queue,
 * no throughput hangs on an exit being seen at once: exits are left to gather for as long as the queue lasts,
 * and cost one wake-up of this thread and of the main thread together.
 */
const NAP = { perLaunch: 32, longest: 1000, fewestLaunches: 4 } as const;

/** Milliseconds between looks at a child that epoll cannot watch. */
const POLL_INTERVAL = 10;
const WATCH_FAILED = STAGES.indexOf("watch");

/** Kinds of deadline; a deadline's key is slot * KINDS + kind. */
const DEADLINE = { timeout: 0, escalate: 1, resend: 2, grace: 3, poll: 4 } as const;
const KINDS = 5;

/**
 * The task that the thread pool runs. It returns at once, so that the thread counts as free and an idle pool
 * keeps nothing alive; the loop then has the thread to itself.
 */
export default function start(begin: SupervisorStart): void {
  setImmediate(() => new SupervisorThread(begin).loop());
}

class SupervisorThread {
  readonly #begin: SupervisorStart;
  readonly #region: Region;
  readonly #batch = new BatchWriter();
  readonly #deadlines = new Deadlines();
  readonly #captures = new Map<number, Capture>();
  /** Reaped children whose output another process still holds. */
  readonly #lingering = new Set<number>();
  readonly #events = new Int32Array(MAX_EVENTS * EPOLL_EVENT.WORDS);
  readonly #eventsAddress = native().addressOf(this.#events);
  #noticesTail: number;
  #ownPeak = 0;

  constructor(begin: SupervisorStart) {
    this.#begin = begin;
    this.#region = Region.attach(begin.region);
    this.#noticesTail = this.#region.header(LAUNCHER.noticesTail);
    if (begin.successor) this.#takeOver();
  }

  loop(): void {
    const region = this.#region;
    const { epoll, port, tick } = this.#begin;
    let gathering = false;
    while (region.header(LAUNCHER.supervisorStop) === 0) {
      if (gathering) this.#gather();
      // The launcher writes to the eventfd only while this says that we sleep; we look for notices after
      // saying so. One of the two sees the other.
      region.setHeader(LAUNCHER.watcherSleeping, 1);
      const timeout = region.header(LAUNCHER.noticesHead) !== this.#noticesTail ? 0 : this.#sleep(tick);
      let n = epollWait(epoll, this.#eventsAddress, MAX_EVENTS, timeout);
      region.setHeader(LAUNCHER.watcherSleeping, 0);
      this.#ownPeak = 0;
      for (let round = 1; ; round++) {
        this.#handle(n);
        if (n < MAX_EVENTS || round === MAX_ROUNDS) break;
        n = epollWait(epoll, this.#eventsAddress, MAX_EVENTS, 0);
      }
      this.#readNotices();
      gathering = n > 0;
      if (this.#deadlines.size > 0) this.#meetDeadlines();
      this.#batch.flush(port);
    }
  }

  #gather(): void {
    const waiting = (this.#region.header(LAUNCHER.head) - this.#region.header(LAUNCHER.tail)) | 0;
    if (waiting >= NAP.fewestLaunches) nap(Math.min(waiting * NAP.perLaunch, NAP.longest));
  }

  #sleep(tick: number): number {
    const next = this.#deadlines.next();
    if (next === Infinity) return tick;
    const wait = Math.max(0, Math.ceil(next - monotonicNow()));
    return tick < 0 ? Math.min(wait, 0x7fffffff) : Math.min(wait, tick);
  }

  #handle(n: number): void {
    const events = this.#events;
    for (let i = 0; i < n; i++) {
      const at = i * EPOLL_EVENT.WORDS + EPOLL_EVENT.data;
      const token = events[at] ?? 0;
      if (token === WAKE_TOKEN) {
        this.#readMessages();
        continue;
      }
      const slot = token & 0xffffff;
      // An fd that was closed earlier in this batch may still have an event in it.
      if (this.#generation(slot) !== events[at + 1]) continue;
      // Nor does closing end the events at once while a child between clone and exec has a copy of the fd.
      const live = this.#isLive(slot);
      const kind = token >>> 24;
      if (kind === 0 && live) this.#reap(slot);
      else if (kind > 0 && (live || this.#lingering.has(slot))) this.#readOutput(slot, kind - 1);
    }
  }

  #word(slot: number, field: number): number {
    return this.#region.words[(this.#region.slot(slot) + field) >> 2] ?? 0;
  }

  #setWord(slot: number, field: number, value: number): void {
    this.#region.words[(this.#region.slot(slot) + field) >> 2] = value;
  }

  #generation(slot: number): number {
    return this.#word(slot, SLOT.generation);
  }

  #state(slot: number): number {
    return Atomics.load(this.#region.words, this.#region.slot(slot) >> 2);
  }

  #add(record: number, slot: number, capture?: Capture): void {
    this.#batch.add(record, slot, this.#generation(slot), capture?.outputs());
  }

  // ---- exits

  #reap(slot: number): void {
    if (this.#ownPeak === 0) this.#ownPeak = ownPeakRss();
    if (reap(this.#region, slot, this.#ownPeak) === "busy") {
      if (this.#state(slot) === STATE.running) {
        // A debugger reaps first. The pidfd stays readable: look now and then instead of spinning.
        epollDelete(this.#begin.epoll, this.#word(slot, SLOT.pidfd));
        this.#setDeadline(slot, DEADLINE.poll, POLL_INTERVAL);
      }
      return;
    }
    this.#clearDeadlines(slot);
    if (this.#word(slot, SLOT.captures) === 0) {
      this.#add(RECORD.exited, slot);
      return;
    }
    const capture = this.#capture(slot);
    // What the child left in the pipe may exceed the limit: the same end as if it had been seen a moment sooner.
    if (!capture.drain() && this.#word(slot, SLOT.reason) === 0)
      this.#setWord(slot, SLOT.reason, reasonCode("output-limit"));
    if (capture.ended) {
      this.#finish(slot, capture);
    } else {
      this.#lingering.add(slot);
      this.#setDeadline(slot, DEADLINE.grace, this.#word(slot, SLOT.outputGrace));
    }
  }

  #finish(slot: number, capture: Capture): void {
    this.#lingering.delete(slot);
    this.#captures.delete(slot);
    this.#clearDeadlines(slot);
    this.#add(RECORD.exited, slot, capture);
  }

  // ---- output

  #capture(slot: number, lost = false): Capture {
    let capture = this.#captures.get(slot);
    if (capture === undefined) this.#captures.set(slot, (capture = new Capture(this.#region, slot, lost)));
    return capture;
  }

  #readOutput(slot: number, stream: number): void {
    const capture = this.#capture(slot);
    const within = capture.readOne(stream);
    const lingering = this.#lingering.has(slot);
    // First the signal, then the broken pipe: SIGPIPE must not come before killSignal.
    if (!within && !lingering) this.#stop(slot, reasonCode("output-limit"), this.#word(slot, SLOT.killSignal));
    if (!within) capture.shut(stream);
    if (lingering && capture.ended) this.#finish(slot, capture);
  }

  // ---- deadlines and stopping

  /** Begins to end a child. The first reason stays; SIGKILL follows after `killAfter`. */
  #stop(slot: number, reason: number, asked: number): void {
    const state = this.#state(slot);
    if (state === STATE.exited) return;
    // Before exec all signals but this one are blocked, and there is no program yet to be gentle with.
    const signal = state === STATE.launching ? SIGKILL : asked;
    if (this.#word(slot, SLOT.reason) === 0) this.#setWord(slot, SLOT.reason, reason);
    this.#setWord(slot, SLOT.lastSignal, signal);
    const sent = signalChild(this.#region, slot, signal, this.#word(slot, SLOT.leader) === 1);
    const killAfter = this.#word(slot, SLOT.killAfter);
    // No pidfd yet, or another thread is sending a signal right now: once more, soon.
    if (sent === undefined) this.#setDeadline(slot, DEADLINE.resend, POLL_INTERVAL);
    else if (signal !== SIGKILL && killAfter >= 0) this.#setDeadline(slot, DEADLINE.escalate, killAfter);
  }

  #meetDeadlines(): void {
    for (const key of this.#deadlines.due(monotonicNow())) {
      const slot = Math.floor(key / KINDS);
      switch (key % KINDS) {
        case DEADLINE.timeout:
          this.#stop(slot, reasonCode("timeout"), this.#word(slot, SLOT.killSignal));
          break;
        case DEADLINE.escalate:
          if (this.#isLive(slot)) this.#stop(slot, this.#word(slot, SLOT.reason), SIGKILL);
          break;
        case DEADLINE.resend:
          if (this.#isLive(slot)) this.#stop(slot, this.#word(slot, SLOT.reason), this.#word(slot, SLOT.lastSignal));
          break;
        case DEADLINE.grace: {
          const capture = this.#capture(slot);
          capture.drain();
          capture.abandon();
          this.#finish(slot, capture);
          break;
        }
        case DEADLINE.poll:
          this.#reap(slot);
          if (this.#state(slot) === STATE.running || this.#state(slot) === STATE.signaling) {
            this.#setDeadline(slot, DEADLINE.poll, POLL_INTERVAL);
          }
          break;
      }
    }
  }

  #setDeadline(slot: number, kind: number, duration: number): void {
    this.#deadlines.set(slot * KINDS + kind, monotonicNow(), duration);
  }

  #started(slot: number): number {
    return this.#region.milliseconds(this.#region.slot(slot) + SLOT.startedNs);
  }

  #isLive(slot: number): boolean {
    const state = this.#state(slot);
    return state === STATE.running || state === STATE.signaling || state === STATE.launching;
  }

  #clearDeadlines(slot: number): void {
    if (this.#deadlines.size === 0) return;
    for (let kind = 0; kind < KINDS; kind++) this.#deadlines.clear(slot * KINDS + kind);
  }

  // ---- from the launcher and from the pool

  #readNotices(): void {
    const head = this.#region.header(LAUNCHER.noticesHead);
    while (this.#noticesTail !== head) {
      const slot = this.#region.notice(this.#noticesTail);
      this.#noticesTail = (this.#noticesTail + 1) | 0;
      this.#notice(slot);
    }
    this.#region.setHeader(LAUNCHER.noticesTail, this.#noticesTail);
  }

  #notice(slot: number): void {
    switch (this.#state(slot)) {
      case STATE.failed:
        this.#discard(slot, RECORD.failed);
        break;
      case STATE.cancelled:
        this.#discard(slot, RECORD.cancelled);
        break;
      case STATE.launching:
        if (this.#word(slot, SLOT.timeout) > 0)
          this.#setDeadline(slot, DEADLINE.timeout, this.#word(slot, SLOT.timeout));
        break;
      case STATE.running:
      case STATE.signaling: {
        const timeout = this.#word(slot, SLOT.timeout);
        if (timeout > 0) this.#deadlines.set(slot * KINDS + DEADLINE.timeout, this.#started(slot), timeout);
        if (this.#word(slot, SLOT.stage) === WATCH_FAILED) {
          signalChild(this.#region, slot, SIGKILL, false);
          this.#setDeadline(slot, DEADLINE.poll, POLL_INTERVAL);
          break;
        }
        if ((this.#word(slot, SLOT.notify) & NOTIFY.end) !== 0) this.#add(RECORD.launched, slot);
        break;
      }
    }
  }

  /** The launch came to nothing: no child, no output. */
  #discard(slot: number, record: number): void {
    if (this.#word(slot, SLOT.captures) > 0) {
      this.#capture(slot).abandon();
      this.#captures.delete(slot);
    }
    this.#clearDeadlines(slot);
    this.#add(record, slot);
  }

  #readMessages(): void {
    drainEventfd(this.#begin.wake);
    for (;;) {
      const received = receiveMessageOnPort(this.#begin.port);
      if (received === undefined) return;
      const { slot, generation, reason, signal } = received.message as StopMessage;
      if (typeof slot !== "number") throw new TypeError("a supervisor got a message that it does not know");
      if (this.#generation(slot) === generation && this.#isLive(slot)) this.#stop(slot, reason, signal);
    }
  }

  // ---- succession

  /** Finds out from the slots alone what a dead predecessor had in hand, and says again what it may have said. */
  #takeOver(): void {
    const live: number[] = [];
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (this.#state(slot) === STATE.signaling) this.#release(slot);
      const state = this.#state(slot);
      if (state === STATE.free && this.#generation(slot) === 0) break;
      if (this.#isLive(slot) || state === STATE.exited) {
        if (this.#word(slot, SLOT.captures) > 0) this.#capture(slot, true);
        if (state === STATE.exited) this.#reap(slot);
        else live.push(slot);
      } else if (state === STATE.failed || state === STATE.cancelled) {
        this.#discard(slot, state === STATE.failed ? RECORD.failed : RECORD.cancelled);
      }
    }
    // Deadlines of one duration have to be set in their order.
    live.sort((a, b) => this.#started(a) - this.#started(b));
    for (const slot of live) this.#resume(slot);
    this.#batch.flush(this.#begin.port);
  }

  /** The predecessor may have died while it held this slot; a living thread lets go at once. */
  #release(slot: number): void {
    nap(HELD_AT_MOST * 1000 - 1);
    const { words } = this.#region;
    const before = this.#region.header(LAUNCHER.busySlot) === slot + 1 ? STATE.launching : STATE.running;
    Atomics.compareExchange(words, this.#region.slot(slot) >> 2, STATE.signaling, before);
  }

  #resume(slot: number): void {
    this.#notice(slot);
    const asked = this.#word(slot, SLOT.stopRequest);
    // One that was already being ended gets the last word now.
    if (this.#word(slot, SLOT.reason) !== 0) this.#stop(slot, this.#word(slot, SLOT.reason), SIGKILL);
    else if (asked !== 0) this.#stop(slot, asked & 0xff, asked >> 8);
  }
}
