// How children are ended, in the supervisor thread: timeouts, the signal that
// asks, the SIGKILL that follows, and the other deadlines of a slot.
import { LEADER, SLOT, SPEAKS, STATE } from "../native/layout.ts";
import { monotonicNow, reasonCode } from "../process/report.ts";
import { SIGABRT, SIGKILL, SIGSTOP } from "../process/signals.ts";
import { signalFamilies } from "../process/tree.ts";
import { Deadlines } from "./deadlines.ts";
import { signalChild } from "./signal-child.ts";
import type { Slots } from "./slots.ts";

/** Kinds of deadline; a deadline's key is slot * KINDS + kind. */
const DEADLINE = { timeout: 0, escalate: 1, resend: 2, grace: 3, poll: 4, watchdog: 5, deafness: 6 } as const;
const KINDS = 7;

/** {@link SLOT}.watched */
const WATCHED = { no: 0, yes: 1, due: 2 } as const;

/** Milliseconds between attempts at what cannot be done or seen yet. */
const POLL_INTERVAL = 10;

/** Deadlines that are the caller's to meet. */
export interface DeadlineEvents {
  /** Captured output was held open for long enough. */
  graceOver(slot: number): void;
  /** Time to look at a child that epoll cannot watch. */
  poll(slot: number): void;
  /** A watchdog is about to bite: what the child has said by now is to be heard. */
  watchdogDue(slot: number): void;
  /** A child that spoke too much is to be heard again. */
  deafnessOver(slot: number): void;
}

/** All deadlines of a supervisor's children. */
export class Stopper {
  readonly #slots: Slots;
  readonly #events: DeadlineEvents;
  readonly #deadlines = new Deadlines();
  /** How often {@link stop} was called. */
  stops = 0;

  constructor(slots: Slots, events: DeadlineEvents) {
    this.#slots = slots;
    this.#events = events;
  }

  /** Milliseconds until the next deadline, or Infinity. */
  get wait(): number {
    const next = this.#deadlines.next();
    return next === Infinity ? Infinity : Math.max(0, Math.ceil(next - monotonicNow()));
  }

  /** Sets the slot's timeout, if it has one. A child between clone and exec counts from now. */
  startTimeout(slot: number): void {
    const timeout = this.#slots.get(slot, SLOT.timeout);
    if (timeout === 0) return;
    const launching = this.#slots.state(slot) === STATE.launching;
    this.#deadlines.set(
      slot * KINDS + DEADLINE.timeout,
      launching ? monotonicNow() : this.#slots.started(slot),
      timeout,
    );
  }

  startGrace(slot: number): void {
    this.#set(slot, DEADLINE.grace, this.#slots.get(slot, SLOT.outputGrace));
  }

  /** From now on epoll need not watch the child. */
  startPolling(slot: number): void {
    this.#slots.set(slot, SLOT.polled, 1);
    this.#set(slot, DEADLINE.poll, POLL_INTERVAL);
  }

  /** Looks at a child that a predecessor looked at. */
  resumePolling(slot: number): void {
    if (this.#slots.get(slot, SLOT.polled) !== 0) this.startPolling(slot);
  }

  /** Time begins anew for the slot's watchdog, if it has one. A child that is being ended needs none. */
  startWatchdog(slot: number): void {
    const period = this.#slots.get(slot, SLOT.watchdog);
    if (period === 0 || this.#slots.get(slot, SLOT.reason) !== 0) {
      this.stopWatchdog(slot);
      return;
    }
    this.#slots.set(slot, SLOT.watched, WATCHED.yes);
    this.#set(slot, DEADLINE.watchdog, period);
  }

  stopWatchdog(slot: number): void {
    this.#slots.set(slot, SLOT.watched, WATCHED.no);
    this.#deadlines.clear(slot * KINDS + DEADLINE.watchdog);
  }

  /** Sets a watchdog that waits for no READY=1, or that a predecessor had set. */
  resumeWatchdog(slot: number): void {
    const fromExec = (this.#slots.get(slot, SLOT.speaks) & SPEAKS.watchedFromExec) !== 0;
    if (this.#slots.get(slot, SLOT.watched) !== WATCHED.no || fromExec) this.startWatchdog(slot);
  }

  #endWatchdog(slot: number): void {
    const slots = this.#slots;
    if (!slots.isLive(slot)) return;
    slots.set(slot, SLOT.watched, WATCHED.due);
    this.#events.watchdogDue(slot);
    if (slots.get(slot, SLOT.watched) === WATCHED.due) this.stop(slot, reasonCode("watchdog"), SIGABRT);
  }

  startDeafness(slot: number, duration: number): void {
    this.#set(slot, DEADLINE.deafness, duration);
  }

  /** Forgets all deadlines of a slot. */
  clear(slot: number): void {
    if (this.#deadlines.size === 0) return;
    for (let kind = 0; kind < KINDS; kind++) this.#deadlines.clear(slot * KINDS + kind);
  }

  /** Begins to end a child. The first reason stays; SIGKILL follows after `killAfter`, from now again with signal 0. */
  stop(slot: number, reason: number, asked: number): void {
    this.stops++;
    const slots = this.#slots;
    const state = slots.state(slot);
    if (state === STATE.exited) return;
    // Before exec all signals but this one are blocked, and there is no program yet to be gentle with.
    const signal = state === STATE.launching ? SIGKILL : asked;
    if (slots.get(slot, SLOT.reason) === 0) slots.set(slot, SLOT.reason, reason);
    if (signal !== 0) {
      if (slots.get(slot, SLOT.stopSignal) === 0) slots.set(slot, SLOT.stopSignal, signal);
      slots.set(slot, SLOT.lastSignal, signal);
    }
    if (slots.get(slot, SLOT.watched) !== WATCHED.no) this.stopWatchdog(slot);
    const sent = signalChild(slots.region, slot, signal, slots.get(slot, SLOT.leader) !== LEADER.no);
    const killAfter = slots.get(slot, SLOT.killAfter);
    // No pidfd yet: once more, soon.
    if (sent === undefined) this.#set(slot, DEADLINE.resend, POLL_INTERVAL);
    else if (signal !== SIGKILL && killAfter >= 0) this.#set(slot, DEADLINE.escalate, killAfter);
  }

  /** They have not heeded the signal that asked. What a service's have started goes with them, sessions of their own included. */
  #kill(unheeded: readonly number[]): void {
    const slots = this.#slots;
    const live = unheeded.filter((slot) => slots.isLive(slot));
    const roots: number[] = [];
    for (const slot of live) {
      if (slots.get(slot, SLOT.leader) !== LEADER.sweeps || slots.state(slot) !== STATE.running) continue;
      // A stopped one cannot start others meanwhile; an ended one would leave orphans that nobody finds.
      signalChild(slots.region, slot, SIGSTOP, false);
      roots.push(slots.get(slot, SLOT.pid));
    }
    if (roots.length > 0) signalFamilies(roots, SIGKILL, true);
    for (const slot of live) this.stop(slot, slots.get(slot, SLOT.reason), SIGKILL);
  }

  /** Does what is due. */
  meet(): void {
    if (this.#deadlines.size === 0) return;
    const slots = this.#slots;
    const unheeded: number[] = [];
    for (const key of this.#deadlines.due(monotonicNow())) {
      const slot = Math.floor(key / KINDS);
      switch (key % KINDS) {
        case DEADLINE.timeout:
          this.stop(slot, reasonCode("timeout"), slots.get(slot, SLOT.killSignal));
          break;
        case DEADLINE.escalate:
          unheeded.push(slot);
          break;
        case DEADLINE.resend:
          if (slots.isLive(slot)) this.stop(slot, slots.get(slot, SLOT.reason), slots.get(slot, SLOT.lastSignal));
          break;
        case DEADLINE.grace:
          this.#events.graceOver(slot);
          break;
        case DEADLINE.poll:
          this.#events.poll(slot);
          break;
        case DEADLINE.watchdog:
          this.#endWatchdog(slot);
          break;
        case DEADLINE.deafness:
          if (slots.isLive(slot)) this.#events.deafnessOver(slot);
          break;
      }
    }
    this.#kill(unheeded);
  }

  #set(slot: number, kind: number, duration: number): void {
    this.#deadlines.set(slot * KINDS + kind, monotonicNow(), duration);
  }
}
