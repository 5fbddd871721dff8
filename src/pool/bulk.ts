// Large captured output: memory outside every heap, which grows without being
// copied and goes from thread to thread as an address. Where it is stands in
// the region: a supervisor that dies loses none of it.
import { isMainThread, markAsUntransferable } from "node:worker_threads";
import { native } from "../native/load.ts";
import type { Region } from "../native/region.ts";
import { adviseHugePages, mmap, mremap, munmap } from "../native/syscalls.ts";

const PAGE = 4096;
const FIRST_LENGTH = 1 << 20;
/** From this length on, faulting in small pages costs more than reading. */
const HUGE_FROM = 8 << 20;
/** Less than this is copied into an ordinary Buffer. */
const ADOPT_FROM = 1 << 20;

const ADDRESS = 0;
const LENGTH = 1;
const SIZE = 2;

/** The bulk of one captured fd of one slot. The supervisor owns it until it reports the exit, then the pool's thread. */
export class Bulk {
  readonly #doubles: Float64Array;
  readonly #at: number;

  constructor(region: Region, slot: number, n: number) {
    this.#doubles = region.doubles;
    this.#at = region.bulk(slot, n);
  }

  #get(field: number): number {
    return this.#doubles[this.#at + field] ?? 0;
  }

  #set(field: number, value: number): void {
    this.#doubles[this.#at + field] = value;
  }

  get exists(): boolean {
    return this.#get(ADDRESS) !== 0;
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.#get(SIZE);
  }

  /** Counts bytes that were written behind the others. */
  add(bytes: number): void {
    this.#set(SIZE, this.size + bytes);
  }

  /** Where the next byte goes. */
  get end(): number {
    return this.#get(ADDRESS) + this.size;
  }

  /** Bytes that fit behind {@link end}. */
  get room(): number {
    return this.#get(LENGTH) - this.size;
  }

  /** Makes it exist, or longer, for `room` to be at least so much. False where memory has run out. */
  grow(room: number): boolean {
    const length = this.#get(LENGTH);
    if (!this.exists) {
      const address = mmap(FIRST_LENGTH);
      if (address < 0) return false;
      this.#set(SIZE, 0);
      this.#set(LENGTH, FIRST_LENGTH);
      this.#set(ADDRESS, address);
    } else if (this.room < room) {
      const address = mremap(this.#get(ADDRESS), length, length * 2);
      if (address < 0) return false;
      this.#set(ADDRESS, address);
      this.#set(LENGTH, length * 2);
      if (length * 2 >= HUGE_FROM) adviseHugePages(address, length * 2);
    }
    return true;
  }

  /** Gives back what was not filled. */
  trim(): void {
    const length = this.#get(LENGTH);
    const wanted = Math.max(PAGE, Math.ceil(this.size / PAGE) * PAGE);
    if (this.exists && wanted < length && mremap(this.#get(ADDRESS), length, wanted) >= 0) this.#set(LENGTH, wanted);
  }

  /** Appends what is in JavaScript's memory. There must be room. */
  append(bytes: Uint8Array): void {
    new Uint8Array(native().view(this.end, bytes.length)).set(bytes);
    this.add(bytes.length);
  }

  /** What it holds, decoded; the memory is freed. */
  decode(encoding: BufferEncoding): string {
    try {
      return Buffer.from(native().view(this.#get(ADDRESS), this.size)).toString(encoding);
    } finally {
      this.free();
    }
  }

  /** What it holds as a Buffer. A long one is this very memory, freed with the Buffer. */
  toBuffer(): Buffer {
    const address = this.#get(ADDRESS);
    const memory = native().view(address, this.size);
    // When a worker thread ends, no finalizer runs.
    if (this.size < ADOPT_FROM || !isMainThread) {
      const copy = Buffer.from(new Uint8Array(memory));
      this.free();
      return copy;
    }
    // Once transferred it would belong to another isolate, and live longer than what frees it here.
    markAsUntransferable(memory);
    adopted.register(memory, { address, length: this.#get(LENGTH) });
    this.#set(ADDRESS, 0);
    return Buffer.from(memory);
  }

  /** Unmaps it, if it exists. */
  free(): void {
    if (!this.exists) return;
    munmap(this.#get(ADDRESS), this.#get(LENGTH));
    this.#set(ADDRESS, 0);
  }
}

const adopted = new FinalizationRegistry<{ address: number; length: number }>(({ address, length }) => {
  munmap(address, length);
});
