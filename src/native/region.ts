// The memory that the main thread, a supervisor thread and its launcher share:
// the launcher's header and queues, one slot per child, an arena for specs.
// It is mapped outside every JavaScript heap, so a supervisor that dies leaves
// all that matters behind.
//
//   | children's stacks | launcher header | queue | notices | reports | slots | arena | bulks |
import { PidpoolError } from "../errors.ts";
import { errnoName } from "./errno.ts";
import { CAPTURE, CHILD_STACKS, LAUNCHER, SLOT } from "./layout.ts";
import { native } from "./load.ts";
import { explainShortage } from "./shortage.ts";
import { mmap, munmap } from "./syscalls.ts";

const PAGE = 4096;
const HEADER = CHILD_STACKS;

/** Children that one supervisor can hold, live or waiting for their report to be read. */
export const SLOT_COUNT = 32768;
/** Bytes for the specs of launches under way. */
export const ARENA_SIZE = 4194304;

const QUEUE = HEADER + PAGE;
const NOTICES = QUEUE + SLOT_COUNT * 4;
/** A launch can have two notices. */
const NOTICE_COUNT = SLOT_COUNT * 2;
const REPORTS = NOTICES + NOTICE_COUNT * 4;
/** A child has two at most: that it was launched, and its end. Two words each. */
export const REPORT_COUNT: number = SLOT_COUNT * 2;
const SLOTS = REPORTS + REPORT_COUNT * 8;
const ARENA = SLOTS + SLOT_COUNT * SLOT.SIZE;
/** Doubles of one {@link Region.bulk}. */
const BULK_DOUBLES = 3;
const BULKS = ARENA + ARENA_SIZE;
const TOTAL = BULKS + SLOT_COUNT * CAPTURE.MAX * BULK_DOUBLES * 8;

/** One region as one thread sees it. Indices into the views count in their own elements. */
export class Region {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly doubles: Float64Array;

  private constructor(address: number) {
    this.address = address;
    const memory = native().view(address, TOTAL);
    this.bytes = new Uint8Array(memory);
    this.words = new Int32Array(memory);
    this.doubles = new Float64Array(memory);
  }

  /** Maps a new region. Whoever creates it unmaps it, after all threads let go. */
  static create(): Region {
    const address = mmap(TOTAL);
    if (address < 0) {
      const [errno, why] = [errnoName(-address), explainShortage(-address)];
      throw new PidpoolError("ERR_SUPERVISOR", `no memory for a supervisor: ${errno} (${why})`, {
        syscall: "mmap",
        errno,
      });
    }
    const region = new Region(address);
    region.setHeader(LAUNCHER.capacity, SLOT_COUNT);
    region.setHeader(LAUNCHER.ownPidNamespace, -1);
    region.setAddress(HEADER + LAUNCHER.queue, address + QUEUE);
    region.setAddress(HEADER + LAUNCHER.notices, address + NOTICES);
    region.setAddress(HEADER + LAUNCHER.slots, address + SLOTS);
    region.setAddress(HEADER + LAUNCHER.stackTop, address + CHILD_STACKS);
    return region;
  }

  /** A region that another thread created. */
  static attach(address: number): Region {
    return new Region(address);
  }

  /** No view of this region, in any thread, may be touched afterwards. */
  unmap(): void {
    munmap(this.address, TOTAL);
  }

  /** Address of `struct pp_launcher`. */
  get launcher(): number {
    return this.address + HEADER;
  }

  header(field: number): number {
    return Atomics.load(this.words, (HEADER + field) >> 2);
  }

  setHeader(field: number, value: number): void {
    Atomics.store(this.words, (HEADER + field) >> 2, value);
  }

  /** Sets a field and returns what it was. */
  exchangeHeader(field: number, value: number): number {
    return Atomics.exchange(this.words, (HEADER + field) >> 2, value);
  }

  /** Byte offset of a slot. */
  slot(index: number): number {
    return SLOTS + index * SLOT.SIZE;
  }

  /** A 64-bit address field, at a byte offset. */
  setAddress(offset: number, address: number): void {
    this.words[offset >> 2] = address | 0;
    this.words[(offset >> 2) + 1] = Math.floor(address / 2 ** 32);
  }

  /** A 64-bit count of nanoseconds, at a byte offset, in milliseconds. */
  milliseconds(offset: number): number {
    const low = (this.words[offset >> 2] ?? 0) >>> 0;
    const high = this.words[(offset >> 2) + 1] ?? 0;
    return high * 4294.967296 + low / 1e6;
  }

  queueEntry(position: number): number {
    return (QUEUE >> 2) + (position & (SLOT_COUNT - 1));
  }

  noticeEntry(position: number): number {
    return (NOTICES >> 2) + (position & (NOTICE_COUNT - 1));
  }

  notice(position: number): number {
    return this.words[this.noticeEntry(position)] ?? 0;
  }

  /** Index of the first word of a report. */
  report(position: number): number {
    return (REPORTS >> 2) + (position & (REPORT_COUNT - 1)) * 2;
  }

  /**
   * Index of the first of three doubles about memory that holds the large output of a slot's n-th captured fd:
   * its address (0: there is none), its length, and how much of it is filled.
   */
  bulk(slot: number, n: number): number {
    return (BULKS >> 3) + (slot * CAPTURE.MAX + n) * BULK_DOUBLES;
  }

  /** Byte offset of the arena. */
  get arena(): number {
    return ARENA;
  }
}
