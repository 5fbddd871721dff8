// The pool's half of a supervisor: gives children slots, launches them, hears
// what became of them, and replaces the thread when it dies. The other half is
// supervisor-thread.ts.
import { isMainThread, MessageChannel, type MessagePort } from "node:worker_threads";
import { EAGAIN } from "../native/errno.ts";
import { Launcher } from "../native/launcher.ts";
import { CAPTURE, LAUNCHER, NOTIFY, SLOT, STAGES, STATE } from "../native/layout.ts";
import { SLOT_COUNT } from "../native/region.ts";
import { epollAdd, wake } from "../native/syscalls.ts";
import { monotonicNow, readReport, reasonCode, type ExitReason } from "../process/report.ts";
import type { Child } from "./child.ts";
import { onExit } from "./exit-hook.ts";
import { Plumbing } from "./plumbing.ts";
import { eventToken, readBatch, RECORD, type BatchMessage, type CapturedOutput, type StopMessage } from "./protocol.ts";
import { signalChild } from "./signal-child.ts";
import type { SupervisorThreads } from "./threads.ts";

/** In a worker thread no exit listener runs when the worker is terminated: the supervisor looks up by itself. */
const WORKER_TICK = 200;
/** Milliseconds between the death of a thread and its successor: at once, then ever later. */
const REVIVE_DELAY = { factor: 50, longest: 1000, calmAfter: 5000 } as const;

/** {@link Supervisor.start}: too many launches are under way; there is room again soon. */
export const NO_ROOM = -0x10000;

/** Owns a launcher, a supervisor thread, and the slots of their region. */
export class Supervisor {
  readonly launcher: Launcher;
  readonly #threads: SupervisorThreads;
  readonly #onDeath: (error: unknown) => void;
  readonly #children: (Child | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #forgetExit: () => void;
  #port: MessagePort | undefined;
  #refs = 0;
  #live = 0;
  #started = false;
  #ending = false;
  /** Threads that died. */
  deaths = 0;
  #quickDeaths = 0;
  #lastDeath = -Infinity;

  /**
   * @param onDeath Hears of a thread that died, once a successor has begun or has failed to.
   * @throws PidpoolError ERR_UNSUPPORTED, ERR_SUPERVISOR
   */
  constructor(threads: SupervisorThreads, onDeath: (error: unknown) => void) {
    this.#threads = threads;
    this.#onDeath = onDeath;
    this.launcher = new Launcher();
    this.#forgetExit = onExit(() => this.#tellEnd());
    this.#startThread();
  }

  /** Children that have a slot: queued, launching, running, or not yet reported. */
  get load(): number {
    return this.#live;
  }

  /**
   * Starts a child.
   *
   * @returns 0, {@link NO_ROOM}, or -errno; in both other cases nothing has begun.
   */
  start(child: Child): number {
    const { launcher } = this;
    if (!launcher.hasRoom(child.spec.block.length)) return NO_ROOM;
    const slot = this.#takeSlot();
    if (slot < 0) return -EAGAIN;
    const plumbing = new Plumbing();
    let result = plumbing.open(child.spec, launcher.devNull);
    if (result >= 0) {
      this.#writeSlot(slot, child, plumbing);
      result = launcher.prepare(slot, child.spec.block, plumbing.sources);
      if (result >= 0) result = this.#watchOutput(slot, plumbing);
      if (result < 0) {
        launcher.release(slot);
        plumbing.abandon();
      }
    }
    if (result < 0) {
      this.#free.push(slot);
      return result;
    }
    this.#occupy(slot, child);
    launcher.submit(slot);
    child.connect(plumbing);
    return 0;
  }

  /** Takes over a child of this process that was launched elsewhere; the pidfd becomes the supervisor's. Returns 0 or -errno. */
  adopt(child: Child, pid: number, pidfd: number): number {
    const { region, epoll } = this.launcher;
    const slot = this.#takeSlot();
    if (slot < 0) return -EAGAIN;
    this.#writeSlot(slot, child, new Plumbing());
    const at = region.slot(slot) >> 2;
    const now = monotonicNow();
    region.words[at + (SLOT.pid >> 2)] = pid;
    region.words[at + (SLOT.pidfd >> 2)] = pidfd;
    region.words[at + (SLOT.startedNs >> 2)] = ((now * 1e6) % 2 ** 32) | 0;
    region.words[at + (SLOT.startedNs >> 2) + 1] = Math.floor((now * 1e6) / 2 ** 32);
    Atomics.store(region.words, at, STATE.running);
    const result = epollAdd(epoll, pidfd, eventToken(slot, 0), this.#generation(slot));
    if (result < 0) {
      Atomics.store(region.words, at, STATE.free);
      this.#free.push(slot);
      return result;
    }
    this.#occupy(slot, child);
    return 0;
  }

  /** One slot stays free, so that the launcher's queue never fills up. */
  #takeSlot(): number {
    const slot = this.#free.pop();
    if (slot !== undefined) return slot;
    return this.#children.length < SLOT_COUNT - 1 ? this.#children.push(undefined) - 1 : -1;
  }

  #generation(slot: number): number {
    return this.launcher.region.words[(this.launcher.region.slot(slot) + SLOT.generation) >> 2] ?? 0;
  }

  #writeSlot(slot: number, { spec, announce }: Child, { captures }: Plumbing): void {
    const { region } = this.launcher;
    const { words } = region;
    const at = region.slot(slot);
    const set = (offset: number, value: number): void => {
      words[(at + offset) >> 2] = value;
    };
    const generation = (this.#generation(slot) + 1) | 0;
    set(SLOT.generation, generation);
    set(SLOT.token, eventToken(slot, 0));
    set(SLOT.token + 4, generation);
    set(SLOT.notify, (spec.timeout > 0 ? NOTIFY.begin : 0) | (announce ? NOTIFY.end : 0));
    set(SLOT.stage, 0);
    set(SLOT.leader, spec.leader ? 1 : 0);
    set(SLOT.reason, 0);
    set(SLOT.killSignal, spec.killSignal);
    set(SLOT.lastSignal, 0);
    set(SLOT.stopRequest, 0);
    set(SLOT.timeout, spec.timeout);
    set(SLOT.killAfter, spec.killAfter);
    set(SLOT.outputGrace, spec.outputGrace);
    set(SLOT.siginfo, 0);
    set(SLOT.siginfo + 16, 0);
    set(SLOT.captures, captures.length);
    captures.forEach(({ fd, target }, i) => {
      const record = SLOT.capture + i * CAPTURE.SIZE;
      set(record + CAPTURE.fd, fd);
      set(record + CAPTURE.target, target);
      region.doubles[(at + record + CAPTURE.limit) >> 3] = spec.maxOutput;
    });
  }

  #watchOutput(slot: number, { captures }: Plumbing): number {
    const generation = this.#generation(slot);
    for (const [i, { fd }] of captures.entries()) {
      const result = epollAdd(this.launcher.epoll, fd, eventToken(slot, i + 1), generation);
      if (result < 0) return result;
    }
    const { region } = this.launcher;
    Atomics.store(region.words, region.slot(slot) >> 2, STATE.queued);
    return 0;
  }

  #occupy(slot: number, child: Child): void {
    this.#children[slot] = child;
    child.place = { supervisor: this, slot, generation: this.#generation(slot) };
    this.#live++;
    if (child.refed) this.countRef(1);
  }

  #vacate(slot: number, child: Child): void {
    const { region } = this.launcher;
    this.#children[slot] = undefined;
    child.place = undefined;
    this.launcher.release(slot);
    Atomics.store(region.words, region.slot(slot) >> 2, STATE.free);
    this.#free.push(slot);
    this.#live--;
    if (child.refed) this.countRef(-1);
  }

  /** Counts the children that keep Node alive. */
  countRef(change: 1 | -1): void {
    this.#refs += change;
    if (this.#refs === 0) this.#port?.unref();
    else if (this.#refs === 1 && change === 1) this.#port?.ref();
  }

  /** Signals a child. Returns 0, -errno, or undefined where it is gone. */
  signal(child: Child, signal: number, group: boolean): number | undefined {
    return child.place === undefined ? undefined : signalChild(this.launcher.region, child.place.slot, signal, group);
  }

  /** Ends a child: takes it back if its launch has not begun, else has it stopped by the thread. */
  stop(child: Child, reason: ExitReason, signal: number): void {
    const { place } = child;
    if (place === undefined || this.launcher.cancel(place.slot)) return;
    const { slot, generation } = place;
    const message: StopMessage = { slot, generation, reason: reasonCode(reason), signal };
    const { region } = this.launcher;
    Atomics.store(region.words, (region.slot(slot) + SLOT.stopRequest) >> 2, message.reason | (signal << 8));
    this.send(message);
  }

  /** Posts to the thread and wakes it. */
  send(message: StopMessage): void {
    this.#port?.postMessage(message);
    wake(this.launcher.wake);
  }

  /** Calls `each` for every child that has a slot. */
  forEach(each: (child: Child) => void): void {
    for (const child of this.#children) if (child !== undefined) each(child);
  }

  // ---- the thread

  #startThread(): void {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on("message", (message: BatchMessage) => this.#receive(message));
    port1.on("close", () => this.#died(port1));
    if (this.#refs === 0) port1.unref();
    const { launcher } = this;
    const successor = this.#started;
    const begin = {
      region: launcher.region.address,
      epoll: launcher.epoll,
      wake: launcher.wake,
      port: port2,
      tick: isMainThread ? -1 : WORKER_TICK,
      successor,
    };
    this.#started = true;
    this.#threads.start(begin).then(
      () => {
        // By now the predecessor's last words have come, which its port's end outruns.
        if (successor) this.#onDeath(this.#threads.takeError());
      },
      (error: unknown) => {
        if (this.#ending) return;
        this.#onDeath(error);
        port1.close();
      },
    );
  }

  #died(port: MessagePort): void {
    if (this.#ending || port !== this.#port) return;
    // All that the thread had posted before it died came before the close event.
    this.#port = undefined;
    const now = monotonicNow();
    this.deaths++;
    this.#quickDeaths = now - this.#lastDeath > REVIVE_DELAY.calmAfter ? 0 : this.#quickDeaths + 1;
    this.#lastDeath = now;
    const delay = Math.min(this.#quickDeaths * REVIVE_DELAY.factor, REVIVE_DELAY.longest);
    const timer = setTimeout(() => {
      if (!this.#ending) this.#startThread();
    }, delay);
    if (this.#refs === 0) timer.unref();
  }

  #receive(message: BatchMessage): void {
    readBatch(message, (record, slot, generation, outputs) => {
      const child = this.#children[slot];
      // A successor may say again what its predecessor said.
      if (child?.place?.generation === generation) this.#record(record, slot, child, outputs);
    });
  }

  #record(record: number, slot: number, child: Child, outputs: readonly CapturedOutput[]): void {
    const { region } = this.launcher;
    const word = (offset: number): number => region.words[(region.slot(slot) + offset) >> 2] ?? 0;
    switch (record) {
      case RECORD.launched:
        child.events.launched(word(SLOT.pid));
        break;
      case RECORD.failed: {
        const stage = STAGES[word(SLOT.stage)] ?? "none";
        const errno = word(SLOT.error);
        this.#vacate(slot, child);
        child.disconnect(true);
        child.events.failed(stage, errno);
        break;
      }
      case RECORD.cancelled:
        this.#vacate(slot, child);
        child.disconnect(true);
        child.events.cancelled();
        break;
      case RECORD.exited: {
        const watchFailed = STAGES[word(SLOT.stage)] === "watch" ? word(SLOT.error) : 0;
        const report = readReport(region, slot);
        this.#vacate(slot, child);
        child.disconnect(watchFailed !== 0);
        if (watchFailed !== 0) child.events.failed("watch", watchFailed);
        else child.events.exited(report, outputs);
        break;
      }
    }
  }

  #tellEnd(): void {
    this.launcher.region.setHeader(LAUNCHER.supervisorStop, 1);
    wake(this.launcher.wake);
  }

  /** Lets the thread leave its loop. No child may have a slot any more. */
  end(): void {
    this.#ending = true;
    this.#forgetExit();
    this.#tellEnd();
    this.#port?.close();
    this.#port = undefined;
  }
}
