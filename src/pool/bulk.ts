// Large captured output: memory outside every heap, which grows without being
// copied and goes from thread to thread as an address. Where it is stands in
// the region: a supervisor that dies loses none of it.
import { withAddress } from "../native/address.ts";
import { native } from "../native/load.ts";
import type { Region } from "../native/region.ts";
import { adviseHugePages, mmap, mremap, mremapOnto, munmap } from "../native/syscalls.ts";

const PAGE = 4096;
const FIRST_LENGTH = 1 << 20;
/** Where the bytes begin: where they do in a large block that glibc's malloc gives, whose pages may then be swapped for ours. */
const START = 16;
/** Fewer bytes are copied. */
const MOVE_FROM = 1 << 20;
/** From this length on, faulting in small pages costs more than reading. */
const HUGE_FROM = 8 << 20;

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
    return this.#get(ADDRESS) + START + this.size;
  }

  /** Bytes that fit behind {@link end}. */
  get room(): number {
    return this.#get(LENGTH) - START - this.size;
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
    const wanted = Math.max(PAGE, Math.ceil((START + this.size) / PAGE) * PAGE);
    if (this.exists && wanted < length && mremap(this.#get(ADDRESS), length, wanted) >= 0) this.#set(LENGTH, wanted);
  }

  /** Appends what is in JavaScript's memory. There must be room. */
  append(bytes: Uint8Array): void {
    const { end } = this;
    if (bytes.length > 0) withAddress(bytes, (source) => native().copy(end, source, bytes.length));
    this.add(bytes.length);
  }

  /** What it holds, decoded; the memory is freed. */
  decode(encoding: BufferEncoding): string {
    const text = Buffer.from(native().view(this.#get(ADDRESS) + START, this.size)).toString(encoding);
    this.free();
    return text;
  }

  /**
   * What it holds, in ordinary memory; the bulk is freed. A view of the mapping itself would not do: JavaScript can
   * move an ArrayBuffer's memory to another owner (ArrayBuffer.prototype.transfer, byte streams), and nothing would
   * tell when it may be unmapped.
   *
   * @throws RangeError where there is no such memory; the bulk stays.
   */
  toBytes(): Uint8Array {
    const { size } = this;
    const bytes = Buffer.allocUnsafeSlow(size);
    const source = this.#get(ADDRESS) + START;
    const moved = withAddress(bytes, (target) => {
      const pages = size < MOVE_FROM ? NONE : movePages(source, target, size);
      native().copy(target, source, pages.from);
      native().copy(target + pages.to, source + pages.to, size - pages.to);
      return pages;
    });
    this.#unmap(moved);
    return bytes;
  }

  /** Unmaps it, if it exists. */
  free(): void {
    if (this.exists) this.#unmap(NONE);
  }

  /** What was moved away may be another's by now. */
  #unmap({ from, to }: Pages): void {
    const address = this.#get(ADDRESS);
    const length = this.#get(LENGTH);
    this.#set(ADDRESS, 0);
    if (from === to) {
      munmap(address, length);
      return;
    }
    munmap(address, START + from);
    const behind = START + to;
    if (behind < length) munmap(address + behind, length - behind);
  }
}

/** Bytes that were moved: from the first to before the last. */
interface Pages {
  readonly from: number;
  readonly to: number;
}

const NONE: Pages = { from: 0, to: 0 };

/**
 * Puts the pages that lie wholly within the source in the place of those of the target: what a copy of so much
 * would do, without faulting in as many new pages. Both are private anonymous memory, so whoever allocated the
 * target sees no difference. Nothing is moved where the two do not lie alike in their pages.
 */
function movePages(source: number, target: number, size: number): Pages {
  if (source % PAGE !== target % PAGE) return NONE;
  const from = PAGE - (target % PAGE);
  const to = Math.floor((target + size) / PAGE) * PAGE - target;
  return mremapOnto(source + from, to - from, target + from) < 0 ? NONE : { from, to };
}
