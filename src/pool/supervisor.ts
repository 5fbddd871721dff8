// The pool's half of a supervisor: gives children slots, launches them, and
// hears what became of them. The other half is supervisor-thread.ts.
import type { PidpoolError } from "../errors.ts";
import { parseMessage, readMessage } from "../process/notify-message.ts";
import { EAGAIN } from "../native/errno.ts";
import { Launcher } from "../native/launcher.ts";
import { SLOT, STAGES, STATE } from "../native/layout.ts";
import { SLOT_COUNT } from "../native/region.ts";
import { epollAdd } from "../native/syscalls.ts";
import { monotonicNow, readReport, reasonCode, type ExitReason } from "../process/report.ts";
import type { LaunchSpec } from "../process/spec.ts";
import type { Child } from "./child.ts";
import { collectOutput } from "./collect-output.ts";
import { fillSlot } from "./fill-slot.ts";
import { Inbox } from "./inbox.ts";
import { unlinkSocket } from "./notify/socket.ts";
import { Plumbing } from "./plumbing.ts";
import { eventToken, NOTIFY_FD, NOTIFY_SOCKET, RECORD, type CapturedOutput, type StopMessage } from "./protocol.ts";
import { signalChild } from "./signal-child.ts";
import { Slots } from "./slots.ts";
import { ThreadKeeper, type ThreadEvents } from "./thread-keeper.ts";
import type { ThreadLimits } from "./thread-host.ts";

/** {@link Supervisor.start}: too many launches are under way; there is room again soon. */
export const NO_ROOM = -0x10000;
/** {@link Supervisor.start}: it has as many children as it can hold; there is room again when one ends. */
export const NO_SLOT = -0x10001;

const NONE: readonly [] = [];

/** Owns a launcher, a supervisor thread, and the slots of their region. */
export class Supervisor {
  readonly launcher: Launcher;
  readonly #slots: Slots;
  readonly #thread: ThreadKeeper;
  readonly #inbox: Inbox;
  readonly #children: (Child | undefined)[] = [];
  readonly #free: number[] = [];
  #load = 0;

  /**
   * @param events Hears of threads that die, and of such that cannot be started.
   * @throws PidpoolError ERR_UNSUPPORTED, ERR_SUPERVISOR
   */
  constructor(limits: ThreadLimits | undefined, events: Pick<ThreadEvents, "died" | "unmanned">) {
    this.launcher = new Launcher();
    this.#slots = new Slots(this.launcher.region);
    this.#inbox = new Inbox(this.launcher.region, (record, slot, generation, outputs) => {
      const child = this.#children[slot];
      // A successor may say again what its predecessor said.
      if (child?.generation === generation) this.#record(record, slot, child, outputs);
    });
    this.#thread = new ThreadKeeper(limits, this.launcher, {
      died: events.died,
      unmanned: events.unmanned,
      message: (message) => this.#inbox.receive(message),
      rang: () => this.#inbox.look(),
      catchUp: () => this.#inbox.readAll(),
    });
  }

  /** Children that have a slot: queued, launching, running, or not yet reported. */
  get load(): number {
    return this.#load;
  }

  /** Why no thread can be started at present: launches had better go elsewhere. */
  get failure(): PidpoolError | undefined {
    return this.#thread.failure;
  }

  /** Threads that died. */
  get deaths(): number {
    return this.#thread.deaths;
  }

  /**
   * Starts a child.
   *
   * @returns 0, {@link NO_ROOM}, {@link NO_SLOT} or -errno; in all other cases nothing has begun.
   * @throws PidpoolError ERR_SUPERVISOR while no thread can be started: it would leave the room to children that nobody watches.
   */
  start(child: Child): number {
    const { launcher } = this;
    if (this.#thread.failure !== undefined) throw this.#thread.failure;
    if (!launcher.hasRoom(child.spec.block.length)) return NO_ROOM;
    const slot = this.#takeSlot();
    if (slot < 0) return NO_SLOT;
    const plumbing = child.spec.piped ? new Plumbing() : undefined;
    let result = plumbing?.open(child.spec, child.notifyDirectory) ?? 0;
    if (result >= 0) {
      fillSlot(this.#slots, slot, child, plumbing);
      result = launcher.prepare(slot, child.spec.block, plumbing?.sources ?? NONE, child.ground, plumbing?.patch);
      if (result >= 0 && plumbing !== undefined) result = this.#watchOutput(slot, plumbing);
      if (result < 0) {
        launcher.release(slot);
        plumbing?.abandon();
      }
    }
    if (result < 0) {
      this.#free.push(slot);
      return result;
    }
    this.#occupy(slot, child);
    child.notifyPath = plumbing?.notifySocket?.path;
    this.#slots.setState(slot, STATE.queued);
    launcher.submit(slot);
    if (plumbing !== undefined) child.connect(plumbing);
    return 0;
  }

  /** Takes over a child of this process that was launched elsewhere; the pidfd becomes the supervisor's. Returns 0 or -errno. */
  adopt(child: Child, pid: number, pidfd: number): number {
    const slots = this.#slots;
    const slot = this.#takeSlot();
    if (slot < 0) return -EAGAIN;
    fillSlot(slots, slot, child, undefined);
    slots.set(slot, SLOT.pid, pid);
    slots.set(slot, SLOT.pidfd, pidfd);
    const ns = monotonicNow() * 1e6;
    slots.set(slot, SLOT.startedNs, (ns % 2 ** 32) | 0);
    slots.set(slot, SLOT.startedNs + 4, Math.floor(ns / 2 ** 32));
    slots.setState(slot, STATE.running);
    const result = epollAdd(this.launcher.epoll, pidfd, eventToken(slot, 0), slots.generation(slot));
    if (result < 0) {
      slots.setState(slot, STATE.free);
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

  #watchOutput(slot: number, { captures, notifySocket, notifyFd }: Plumbing): number {
    const watch = (fd: number, kind: number): number =>
      epollAdd(this.launcher.epoll, fd, eventToken(slot, kind), this.#slots.generation(slot));
    for (const [i, { fd }] of captures.entries()) {
      const result = watch(fd, i + 1);
      if (result < 0) return result;
    }
    const result = notifySocket === undefined ? 0 : watch(notifySocket.fd, NOTIFY_SOCKET);
    return result < 0 || notifyFd < 0 ? result : watch(notifyFd, NOTIFY_FD);
  }

  #occupy(slot: number, child: Child): void {
    this.#children[slot] = child;
    child.supervisor = this;
    child.slot = slot;
    child.generation = this.#slots.generation(slot);
    this.#load++;
    if (child.refed) this.countRef(1);
  }

  #vacate(slot: number, child: Child): void {
    this.#children[slot] = undefined;
    child.supervisor = undefined;
    if (child.notifyPath !== undefined) unlinkSocket(child.notifyPath);
    child.notifyPath = undefined;
    this.launcher.release(slot);
    this.#slots.setState(slot, STATE.free);
    this.#free.push(slot);
    this.#load--;
    if (child.refed) this.countRef(-1);
  }

  /** Counts the children that keep Node alive. */
  countRef(change: 1 | -1): void {
    this.#thread.countRef(change);
  }

  /** Signals a child. Returns 0, -errno, or undefined where it is gone. */
  signal(child: Child, signal: number, group: boolean): number | undefined {
    return child.supervisor === this ? signalChild(this.launcher.region, child.slot, signal, group) : undefined;
  }

  /** Ends a child: takes it back if its launch has not begun, else has it stopped by the thread. */
  stop(child: Child, reason: ExitReason, signal: number): void {
    const { supervisor, slot, generation } = child;
    if (supervisor !== this || this.launcher.cancel(slot)) return;
    const code = reasonCode(reason);
    this.#slots.set(slot, SLOT.stopRequest, code | (signal << 8));
    this.send({ slot, generation, reason: code, signal });
  }

  /** The SIGKILL that is to follow comes after so many milliseconds from now. */
  postponeKill(child: Child, killAfter: number): void {
    const { supervisor, slot, generation } = child;
    if (supervisor !== this) return;
    this.#slots.set(slot, SLOT.killAfter, Math.ceil(killAfter));
    this.send({ slot, generation, reason: reasonCode("shutdown"), signal: 0 });
  }

  /** Changes how a child that runs is to be ended. */
  setEnding(child: Child, { killSignal, killAfter, outputGrace }: LaunchSpec): void {
    const { supervisor, slot } = child;
    if (supervisor !== this) return;
    this.#slots.set(slot, SLOT.killSignal, killSignal);
    this.#slots.set(slot, SLOT.killAfter, killAfter);
    this.#slots.set(slot, SLOT.outputGrace, outputGrace);
  }

  /** Posts to the thread. */
  send(message: StopMessage): void {
    this.#thread.send(message);
  }

  #record(record: number, slot: number, child: Child, outputs: readonly CapturedOutput[]): void {
    const slots = this.#slots;
    const stage = STAGES[slots.get(slot, SLOT.stage)] ?? "none";
    const errno = slots.get(slot, SLOT.error);
    const detail = slots.get(slot, SLOT.detail);
    if (record === RECORD.launched) {
      child.events.launched(slots.get(slot, SLOT.pid));
    } else if (record === RECORD.notified) {
      const message = parseMessage(outputs[0]?.bytes ?? new Uint8Array(0));
      if (message === undefined || stage === "watch") return;
      // It has come by another way than the word of the launch, and may be here before that.
      if (child.announce) child.events.launched(slots.get(slot, SLOT.pid));
      child.events.notified?.(readMessage(message));
    } else if (record === RECORD.exited && stage !== "watch") {
      const collected = collectOutput(slots.region, slot, child.spec, outputs);
      const report = readReport(slots.region, slot, collected.stderrTail ?? child.stderrTail);
      this.#vacate(slot, child);
      child.disconnect(false);
      child.events.exited(report, collected);
    } else {
      // A child that could not be watched was killed and reaped: a failed launch too.
      this.#vacate(slot, child);
      child.disconnect(true);
      if (record === RECORD.cancelled) child.events.cancelled();
      else child.events.failed(stage, errno, detail);
    }
  }

  /** Ends the thread, and frees all once it has ended. No child may have a slot any more. */
  async end(): Promise<void> {
    await this.#thread.end();
    this.#inbox.close();
    this.launcher.dispose();
  }
}
