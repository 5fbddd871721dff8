// A launcher: the native thread that runs clone3, with the fds and the memory
// it works with. The thread that uses the pool owns it and is the only one to
// call it. See shim/launcher.c for why it is no JavaScript thread.
import { PidpoolError } from "../errors.ts";
import { withAddress } from "./address.ts";
import { errnoName } from "./errno.ts";
import { FD, LAUNCHER, SLOT, SPEC, STATE } from "./layout.ts";
import { native } from "./load.ts";
import { ARENA_SIZE, Region, SLOT_COUNT } from "./region.ts";
import { explainShortage } from "./shortage.ts";
import {
  close,
  dupFrom,
  epollAdd,
  epollCreate,
  eventfd,
  futexWake,
  mmap,
  munmap,
  openDevNull,
  pipe,
} from "./syscalls.ts";

/** The epoll data of the wake eventfd: no slot has this index. */
export const WAKE_TOKEN = -1;

/** What a launch needs beside its spec: where each fd of the child comes from. */
export interface FdSource {
  /** Position in the spec's fd table. */
  readonly index: number;
  readonly source: number;
  /** True where the launch consumes the fd: it is closed afterwards, come what may. */
  readonly handed: boolean;
}

/** What a child enters: fds that stay open until the launch is over, -1 for none. */
export interface Joins {
  readonly user: number;
  readonly network: number;
  readonly pid: number;
  /** Tells one pid namespace from another; 0 for none. */
  readonly pidId: number;
}

/** What a launch adds to its spec. */
export interface Birthplace {
  readonly joins: Joins | undefined;
  /** An fd of the cgroup to be born in, or -1. */
  readonly cgroup: number;
}

/** A string that a launch writes into its copy of the spec, where there is room for it and a NUL. */
export interface Patch {
  readonly at: number;
  readonly text: string;
}

/** Longer specs get memory of their own. */
const OVERSIZE = ARENA_SIZE / 4;

function aligned(length: number): number {
  return (length + 15) & ~15;
}

interface Mapping {
  readonly address: number;
  readonly length: number;
}

/** Owns: the epoll set, the wake eventfd, /dev/null, the reserved low fds, the region, the thread. */
export class Launcher {
  readonly region: Region;
  readonly epoll: number;
  readonly wake: number;
  readonly devNull: number;
  /** A pipe for the supervisor to wake the pool's thread with; its other end is {@link takeBell}'s. */
  readonly bell: number;
  readonly #fds: number[];
  readonly #bellEnd: number;
  #thread: number | undefined;
  #head = 0;
  /** Bytes of the arena ever taken, and what of them was taken when each queue entry was added. */
  #arenaHead = 0;
  readonly #arenaMarks = new Float64Array(SLOT_COUNT);
  readonly #oversize = new Map<number, Mapping>();

  /**
   * @param thread false for launches on the calling thread only ({@link launchHere}).
   * @throws PidpoolError ERR_UNSUPPORTED, or ERR_SUPERVISOR where fds, memory or threads have run out.
   */
  constructor(thread = true) {
    this.#fds = [];
    const own = (syscall: string, fd: number): number => {
      if (fd >= 0) {
        this.#fds.push(fd);
        return fd;
      }
      this.#closeFds();
      throw exhausted(syscall, -fd);
    };
    this.devNull = own("openat", openDevNull());
    this.epoll = own("epoll_create1", epollCreate());
    this.wake = own("eventfd2", eventfd());
    const pair = new Int32Array(2);
    const piped = pipe(pair);
    this.bell = own("pipe2", piped < 0 ? piped : (pair[1] ?? -1));
    this.#bellEnd = own("pipe2", pair[0] ?? -1);
    const reserved = Array.from({ length: LAUNCHER.RESERVED }, () => own("fcntl", dupFrom(this.devNull, 3)));
    const added = epollAdd(this.epoll, this.wake, WAKE_TOKEN, WAKE_TOKEN);
    if (added < 0) own("epoll_ctl", added);
    try {
      this.region = Region.create();
    } catch (error) {
      this.#closeFds();
      throw error;
    }
    this.region.setHeader(LAUNCHER.epoll, this.epoll);
    this.region.setHeader(LAUNCHER.wake, this.wake);
    this.region.setHeader(LAUNCHER.devnull, this.devNull);
    reserved.forEach((fd, i) => this.region.setHeader(LAUNCHER.reserved + 4 * i, fd));
    if (thread) this.#startThread();
  }

  #startThread(): void {
    const id = new Float64Array(1);
    const n = native();
    const error = withAddress(id, (at) => n.pthreadCreate(at, 0, n.launcherMain, this.region.launcher));
    if (error !== 0) {
      this.#closeFds();
      this.region.unmap();
      throw exhausted("pthread_create", error);
    }
    this.#thread = Number(new BigUint64Array(id.buffer)[0]);
  }

  /** The read end of the {@link bell}, which becomes the caller's. */
  takeBell(): number {
    this.#fds.splice(this.#fds.indexOf(this.#bellEnd), 1);
    return this.#bellEnd;
  }

  /** Where in the arena's endless sequence of bytes `size` more would begin. */
  #arenaStart(size: number): number {
    const room = ARENA_SIZE - (this.#arenaHead % ARENA_SIZE);
    return room >= size ? this.#arenaHead : this.#arenaHead + room;
  }

  /** Whether a spec of this length can be prepared now. */
  hasRoom(length: number): boolean {
    const size = aligned(length);
    if (size > OVERSIZE || this.pending === 0) return true;
    const tail = this.region.header(LAUNCHER.tail);
    const free = this.#arenaMarks[(tail - 1) & (SLOT_COUNT - 1)] ?? 0;
    return this.#arenaStart(size) + size - free <= ARENA_SIZE;
  }

  /**
   * Copies a spec to where the launcher reads it and points the slot at it. There must be room.
   *
   * @returns 0 or -errno.
   */
  prepare(
    slot: number,
    spec: Uint8Array,
    sources: readonly FdSource[],
    birthplace?: Birthplace,
    patch?: Patch,
  ): number {
    const { region } = this;
    const size = aligned(spec.length);
    let address: number;
    let { bytes, words } = region;
    let offset = 0;
    if (size > OVERSIZE) {
      address = mmap(size);
      if (address < 0) return address;
      this.#oversize.set(slot, { address, length: size });
      const memory = native().view(address, size);
      bytes = new Uint8Array(memory);
      words = new Int32Array(memory);
    } else {
      const start = this.#arenaStart(size);
      this.#arenaHead = start + size;
      offset = region.arena + (start % ARENA_SIZE);
      address = region.address + offset;
    }
    bytes.set(spec, offset);
    if (patch !== undefined) bytes.set(Buffer.from(`${patch.text}\0`, "utf8"), offset + patch.at);
    const table = offset + (words[(offset + SPEC.fds) >> 2] ?? 0);
    for (const { index, source, handed } of sources) {
      const entry = (table + index * FD.SIZE) >> 2;
      words[entry + (FD.source >> 2)] = source;
      if (handed) words[entry + (FD.handed >> 2)] = source;
    }
    const header = (field: number, value: number): void => void (words[(offset + field) >> 2] = value);
    const joins = birthplace?.joins;
    if (joins !== undefined) {
      header(SPEC.joinUser, joins.user);
      header(SPEC.joinNetwork, joins.network);
      header(SPEC.joinPid, joins.pid);
      header(SPEC.joinPidId, joins.pidId);
    }
    if (birthplace !== undefined) header(SPEC.cgroup, birthplace.cgroup);
    region.setAddress(region.slot(slot) + SLOT.spec, address);
    return 0;
  }

  /** Queues a prepared slot. From here on the launcher owns it until its notice or its exit. */
  submit(slot: number): void {
    const { region } = this;
    region.words[region.queueEntry(this.#head)] = slot;
    this.#arenaMarks[this.#head & (SLOT_COUNT - 1)] = this.#arenaHead;
    this.#head = (this.#head + 1) | 0;
    region.setHeader(LAUNCHER.head, this.#head);
    if (region.header(LAUNCHER.sleeping) === 1) this.#wakeThread();
  }

  /** The word changes first: a thread that is just going to sleep would miss a wake-up alone. */
  #wakeThread(): void {
    this.region.setHeader(LAUNCHER.sleeping, 0);
    futexWake(this.region.launcher + LAUNCHER.sleeping);
  }

  /** Launches a prepared slot on the calling thread, which waits until exec. Returns 0 or -errno. */
  launchHere(slot: number): number {
    if (this.#thread !== undefined) throw new Error("this launcher has a thread of its own");
    return native().launch(this.region.launcher, slot);
  }

  /** Takes a queued slot back, unless its launch has begun. Its notice still comes. */
  cancel(slot: number): boolean {
    const state = this.region.slot(slot) >> 2;
    return Atomics.compareExchange(this.region.words, state, STATE.queued, STATE.cancelled) === STATE.queued;
  }

  /** Gives back what {@link prepare} took for this slot, once its launch is over. */
  release(slot: number): void {
    const mapping = this.#oversize.get(slot);
    if (mapping === undefined) return;
    this.#oversize.delete(slot);
    munmap(mapping.address, mapping.length);
  }

  /** Launches that are queued or under way. */
  get pending(): number {
    return (this.#head - this.region.header(LAUNCHER.tail)) | 0;
  }

  /** The slot between clone and exec right now, or -1. */
  get launching(): number {
    return this.region.header(LAUNCHER.busySlot) - 1;
  }

  /** For how many milliseconds the launch under way has been so; 0 where there is none. */
  launchingSince(now: number): number {
    const slot = this.launching;
    return slot < 0 ? 0 : Math.max(0, now - this.region.milliseconds(this.region.slot(slot) + SLOT.startedNs));
  }

  /** Ends the thread once its queue is empty, and frees everything. No other thread may use the region any more. */
  dispose(): void {
    if (this.#thread !== undefined) {
      this.region.setHeader(LAUNCHER.stop, 1);
      this.#wakeThread();
      native().pthreadJoin(this.#thread, 0);
      this.#thread = undefined;
    }
    for (const { address, length } of this.#oversize.values()) munmap(address, length);
    this.#oversize.clear();
    this.#closeFds();
    this.region.unmap();
  }

  #closeFds(): void {
    for (const fd of this.#fds.splice(0)) close(fd);
  }
}

function exhausted(syscall: string, errno: number): PidpoolError {
  const name = errnoName(errno);
  const why = explainShortage(errno);
  const message = `a supervisor cannot be set up: ${syscall} failed with ${name}${why === undefined ? "" : ` (${why})`}`;
  return new PidpoolError("ERR_SUPERVISOR", message, { syscall, errno: name });
}
