// A stream of which only the end is kept, in the supervisor thread: everything
// is read, passed on where it is meant to go, and the last bytes stay in a ring.
// The ring is outside every heap and stands in the region, as large captured
// output does: neither the tail nor what is still to be passed on is lost with
// a supervisor that dies.
import { EAGAIN, EINTR, EPIPE } from "../native/errno.ts";
import { withAddress } from "../native/address.ts";
import { CAPTURE } from "../native/layout.ts";
import { native } from "../native/load.ts";
import type { Region } from "../native/region.ts";
import { close, epollAdd, epollAddOutput, epollDelete, mmap, munmap, read } from "../native/syscalls.ts";
import { fromCharacter } from "../process/stderr-tail.ts";
import { AT_ONCE, MANNER_SHIFT, passOn, type PassOn } from "./pass-on.ts";
import { eventToken } from "./protocol.ts";

const PAGE = 4096;

/** How reading went: there may be more, there is none now, nobody takes it now, it has ended. */
export type TailOutcome = "data" | "empty" | "blocked" | "end";

/** Bits of CAPTURE.tail below the manner. */
const SIZE_MASK = (1 << MANNER_SHIFT) - 1;

/** One such stream of one slot. Its fds live in the slot. */
export class Tail {
  readonly #region: Region;
  readonly #epoll: number;
  readonly #record: number;
  /** Three doubles, where others have a bulk: the ring's address (0: none), bytes ever passed on, bytes ever read. */
  readonly #at: number;
  readonly #token: number;
  readonly #generation: number;
  readonly #target: PassOn;
  readonly #size: number;
  /** Bytes of the ring. It is made for the first byte. */
  readonly #ring: number;
  #blocked = false;
  #dropping = false;

  /** @param record Byte offset of the n-th capture record of the slot. */
  constructor(region: Region, epoll: number, slot: number, n: number, record: number, generation: number) {
    this.#region = region;
    this.#epoll = epoll;
    this.#record = record;
    this.#at = region.bulk(slot, n);
    this.#token = eventToken(slot, n + 1);
    this.#generation = generation;
    const tail = region.words[(record + CAPTURE.tail) >> 2] ?? 0;
    this.#size = tail & SIZE_MASK;
    this.#ring = Math.ceil(Math.max(this.#size, AT_ONCE) / PAGE) * PAGE;
    this.#target = { fd: region.words[(record + CAPTURE.passTo) >> 2] ?? -1, manner: tail >>> MANNER_SHIFT };
  }

  get #fd(): number {
    return this.#region.words[(this.#record + CAPTURE.fd) >> 2] ?? -1;
  }

  get #address(): number {
    return this.#region.doubles[this.#at] ?? 0;
  }

  get #passed(): number {
    return this.#region.doubles[this.#at + 1] ?? 0;
  }

  get #total(): number {
    return this.#region.doubles[this.#at + 2] ?? 0;
  }

  /** Somebody is to take bytes, and does not. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** After a predecessor, which may have waited for either of the two fds. */
  inherit(): void {
    if (this.#target.fd >= 0) epollDelete(this.#epoll, this.#target.fd);
    if (this.#fd >= 0) epollAdd(this.#epoll, this.#fd, this.#token, this.#generation);
  }

  /** Reads, and passes on, about `most` bytes at most. */
  run(most: number): TailOutcome {
    for (let taken = 0; ;) {
      const passed = this.#pass();
      if (passed === "blocked") this.#block();
      if (passed !== "all") return passed;
      this.#unblock();
      if (taken >= most) return "data";
      const n = this.#read();
      if (n === -EAGAIN || n === -EINTR) return "empty";
      if (n <= 0) return "end";
      taken += n;
    }
  }

  /** Reads once. Everything was passed on before, and of so little at a time nothing is overwritten that is not. */
  #read(): number {
    if (this.#address === 0) {
      const address = mmap(this.#ring);
      if (address < 0) return address;
      const { doubles } = this.#region;
      doubles[this.#at + 1] = 0;
      doubles[this.#at + 2] = 0;
      doubles[this.#at] = address;
    }
    const total = this.#total;
    const at = total % this.#ring;
    const n = read(this.#fd, this.#address + at, Math.min(AT_ONCE, this.#ring - at));
    if (n > 0) this.#region.doubles[this.#at + 2] = total + n;
    return n;
  }

  #pass(): "all" | "blocked" | "end" {
    if (this.#address === 0) return "all";
    for (;;) {
      const passed = this.#passed;
      const pending = this.#total - passed;
      if (pending <= 0) return "all";
      if (this.#dropping) {
        this.#region.doubles[this.#at + 1] = this.#total;
        return "all";
      }
      const at = passed % this.#ring;
      const n = passOn(this.#target, this.#address + at, Math.min(pending, this.#ring - at));
      if (n === -EINTR) continue;
      if (n === -EAGAIN) return "blocked";
      // Nobody reads there: the child shall see that, too.
      if (n === -EPIPE) return "end";
      // Whatever else fails, as for want of space, is not the child's to wait for: these bytes are lost.
      this.#region.doubles[this.#at + 1] = passed + (n < 0 ? pending : n);
    }
  }

  /** The child's pipe fills up, and the next event is that somebody takes bytes again. */
  #block(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    epollDelete(this.#epoll, this.#fd);
    epollAddOutput(this.#epoll, this.#target.fd, this.#token, this.#generation);
  }

  #unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    epollDelete(this.#epoll, this.#target.fd);
    epollAdd(this.#epoll, this.#fd, this.#token, this.#generation);
  }

  /** Nobody takes the rest: only the tail is still of use. */
  drop(most: number): void {
    this.#dropping = true;
    this.run(most);
  }

  /** Closes where the bytes go to. */
  close(): void {
    const { fd } = this.#target;
    const word = (this.#record + CAPTURE.passTo) >> 2;
    if ((this.#region.words[word] ?? -1) < 0) return;
    // A copy of the user's fd would stay in the epoll set with the open file that they share.
    if (this.#blocked) epollDelete(this.#epoll, fd);
    this.#region.words[word] = -1;
    close(fd);
  }

  /** The last bytes; what held them is freed. */
  take(): Uint8Array {
    if (this.#address === 0) return new Uint8Array(0);
    const total = this.#total;
    const bytes = new Uint8Array(Math.min(total, this.#size));
    const from = (total - bytes.length) % this.#ring;
    const first = Math.min(bytes.length, this.#ring - from);
    if (bytes.length > 0) {
      withAddress(bytes, (target) => {
        native().copy(target, this.#address + from, first);
        native().copy(target + first, this.#address, bytes.length - first);
      });
    }
    this.free();
    return total > bytes.length ? fromCharacter(bytes) : bytes;
  }

  /** Gives the memory back, if there is any. */
  free(): void {
    const address = this.#address;
    if (address === 0) return;
    this.#region.doubles[this.#at] = 0;
    munmap(address, this.#ring);
  }
}
