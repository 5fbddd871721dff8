// pidpool's own way to launch children, without its supervisors: the native
// launcher thread with its slots. What came of a launch is told through a pipe
// that takes the place of the supervisor's eventfd.
import { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LAUNCHER, NOTICE_END, NOTIFY, SLOT, STAGES, STATE } from "#pidpool/native/layout.js";
import { Launcher } from "#pidpool/native/launcher.js";
import { SLOT_COUNT } from "#pidpool/native/region.js";
import { close, pipe, setNonblocking } from "#pidpool/native/syscalls.js";
import { Slots } from "#pidpool/pool/slots.js";
import type { LaunchSpec } from "#pidpool/process/spec.js";

/** What a launch has come to: the launcher has not finished it, the child runs, or it failed at a stage. */
export type Outcome = "pending" | "running" | Failure;

/** The step before exec that failed. */
export interface Failure {
  readonly stage: string;
  readonly errno: number;
}

/** A slot whose child is gone, and where its launch was in the launcher's queue. */
interface Leaving {
  readonly slot: number;
  readonly position: number;
}

/** Owns a launcher and knows whose child is in which slot. */
export class Launches<Owner> {
  readonly #launcher = new Launcher();
  readonly #slots = new Slots(this.#launcher.region);
  readonly #socket: Socket;
  readonly #bell: number;
  readonly #owners: (Owner | undefined)[] = [];
  readonly #positions = new Int32Array(SLOT_COUNT);
  readonly #free: number[] = [];
  readonly #leaving: Leaving[] = [];
  #submitted = 0;
  #noticesRead = 0;

  /** @param noticed hears of launches that failed, and of those that were to be announced. */
  constructor(noticed: (owner: Owner) => void) {
    const ends = new Int32Array(2);
    if (pipe(ends) < 0) throw new Error("no pipe for the launcher's notices");
    const [reader = -1, writer = -1] = ends;
    this.#bell = writer;
    // A full pipe wakes all the same, and the launcher must not wait for it.
    setNonblocking(writer);
    const { region } = this.#launcher;
    region.setHeader(LAUNCHER.wake, writer);
    region.setHeader(LAUNCHER.watcherSleeping, 1);
    this.#socket = new Socket({ fd: reader, readable: true, writable: false });
    this.#socket.unref();
    this.#socket.on("data", () => {
      const head = region.header(LAUNCHER.noticesHead);
      while (this.#noticesRead !== head) {
        const owner = this.#owners[region.notice(this.#noticesRead) & ~NOTICE_END];
        if (owner !== undefined) noticed(owner);
        this.#noticesRead = (this.#noticesRead + 1) | 0;
      }
    });
  }

  /** Resolves when a launch of this spec can be queued. */
  async room(spec: LaunchSpec): Promise<void> {
    while (!this.#launcher.hasRoom(spec.block.length)) await nextTurn();
  }

  /** Queues a launch, for which there must be room, and returns its slot. All its fds have to be "ignore" or an fd. */
  start(spec: LaunchSpec, announce: boolean, owner: Owner): number {
    const launcher = this.#launcher;
    this.#settle();
    const slot = this.#free.pop() ?? this.#owners.length;
    if (slot >= SLOT_COUNT - 1) throw new Error("too many children");
    this.#owners[slot] = owner;
    this.#slots.set(slot, SLOT.notify, announce ? NOTIFY.end : 0);
    // The launcher sets it only when its turn comes; until then nobody may take the last child's for this one's.
    this.#slots.set(slot, SLOT.pid, 0);
    const sources = spec.fds.flatMap(({ kind }, index) =>
      kind === "ignore" ? [{ index, source: launcher.devNull, handed: false }] : [],
    );
    const result = launcher.prepare(slot, spec.block, sources);
    if (result < 0) throw new Error(`no memory for a launch: ${result}`);
    this.#positions[slot] = this.#submitted;
    this.#submitted = (this.#submitted + 1) | 0;
    this.#slots.setState(slot, STATE.queued);
    launcher.submit(slot);
    return slot;
  }

  /** 0 until the child exists, which clone3 sees to before the child runs. */
  pid(slot: number): number {
    return this.#slots.get(slot, SLOT.pid);
  }

  outcome(slot: number): Outcome {
    const state = this.#slots.state(slot);
    const failure = this.failure(slot);
    if (state === STATE.failed && failure !== undefined) return failure;
    return state === STATE.running ? "running" : "pending";
  }

  /** The child writes it, so it is there when the child has died of it. */
  failure(slot: number): Failure | undefined {
    const stage = STAGES[this.#slots.get(slot, SLOT.stage)] ?? "none";
    // A child that is not in the epoll set is none the worse here.
    return stage === "none" || stage === "watch" ? undefined : { stage, errno: this.#slots.get(slot, SLOT.error) };
  }

  /** Without clone3, pids are known only when the launch is over. */
  get knowsPidsLate(): boolean {
    return this.#launcher.region.header(LAUNCHER.legacy) === 1;
  }

  /** The child is gone. A short one is so before the launcher is done with the slot, whose reuse then waits. */
  release(slot: number): void {
    this.#owners[slot] = undefined;
    this.#leaving.push({ slot, position: this.#positions[slot] ?? 0 });
    this.#settle();
  }

  #settle(): void {
    const tail = this.#launcher.region.header(LAUNCHER.tail);
    const leaving = this.#leaving;
    let kept = 0;
    for (const one of leaving) {
      if (((tail - one.position) | 0) <= 0) {
        leaving[kept++] = one;
        continue;
      }
      const pidfd = this.#slots.get(one.slot, SLOT.pidfd);
      if (pidfd >= 0) close(pidfd);
      this.#launcher.release(one.slot);
      this.#free.push(one.slot);
    }
    leaving.length = kept;
  }

  /** Nothing of it may be used any more. */
  close(): void {
    this.#launcher.dispose();
    this.#socket.destroy();
    close(this.#bell);
  }
}
