// Captured output of one child, in the supervisor thread: reads what the pipes
// hold, keeps it up to the limit, says how each stream ended.
import { EAGAIN, EINTR } from "../native/errno.ts";
import { CAPTURE, SLOT, TAIL_ONLY } from "../native/layout.ts";
import { native } from "../native/load.ts";
import type { Region } from "../native/region.ts";
import { close, read, setPipeSize } from "../native/syscalls.ts";
import { Bulk } from "./bulk.ts";
import { OUTPUT, type CapturedOutput } from "./protocol.ts";
import { Tail } from "./tail.ts";

/** The default size of a pipe: one read empties it. */
const READ_SIZE = 65536;
const LARGE_PIPE = 1 << 20;

const NOTHING = new Uint8Array(0);
const scratch = new Uint8Array(READ_SIZE);
let scratchAddress = 0;

/** One captured stream. Its fd belongs to the supervisor from the launch on; it lives in the slot. */
interface Stream {
  readonly record: number;
  readonly target: number;
  readonly limit: number;
  flags: number;
  /** Small outputs wait here as they came; a large one grows in `bulk`. */
  chunks: Uint8Array[];
  readonly bulk: Bulk;
  size: number;
  /** Instead of all that: only the end is kept. */
  readonly tail: Tail | undefined;
}

/** The captured streams of one child. */
export class Capture {
  readonly #region: Region;
  readonly #streams: Stream[] = [];
  readonly #wantsBytes: boolean;
  #open = 0;

  /**
   * @param epoll The set that the streams are watched by.
   * @param lost true where an earlier supervisor may have taken some of the output with it.
   */
  constructor(region: Region, slot: number, epoll: number, lost: boolean) {
    this.#region = region;
    const at = region.slot(slot);
    this.#wantsBytes = region.words[(at + SLOT.wantsBytes) >> 2] === 1;
    const count = region.words[(at + SLOT.captures) >> 2] ?? 0;
    for (let i = 0; i < count; i++) {
      const record = at + SLOT.capture + i * CAPTURE.SIZE;
      const target = region.words[(record + CAPTURE.target) >> 2] ?? 0;
      const limit = region.doubles[(record + CAPTURE.limit) >> 3] ?? 0;
      const bulk = new Bulk(region, slot, i);
      const generation = region.words[(at + SLOT.generation) >> 2] ?? 0;
      const tail = (target & TAIL_ONLY) === 0 ? undefined : new Tail(region, epoll, slot, i, record, generation);
      if (lost) tail?.inherit();
      this.#streams.push({
        record,
        target: target & ~TAIL_ONLY,
        limit,
        flags: tail !== undefined ? OUTPUT.tail : lost ? OUTPUT.lost : 0,
        chunks: [],
        bulk,
        size: tail === undefined && bulk.exists ? bulk.size : 0,
        tail,
      });
      if (this.#fd(record) >= 0) this.#open++;
    }
  }

  #fd(record: number): number {
    return this.#region.words[(record + CAPTURE.fd) >> 2] ?? -1;
  }

  /** True once every stream has ended. */
  get ended(): boolean {
    return this.#open === 0;
  }

  /** Reads once from the n-th stream. Returns false where its limit is exceeded: {@link shut} it then. */
  readOne(n: number): boolean {
    const stream = this.#streams[n];
    return stream === undefined || this.#read(stream) !== "limit";
  }

  /** Closes the n-th stream, for the child to see a broken pipe. */
  shut(n: number): void {
    const stream = this.#streams[n];
    if (stream !== undefined) this.#close(stream);
  }

  /** Reads what is there now from every stream. Returns false where a limit is exceeded; that stream is closed. */
  drain(): boolean {
    let within = true;
    for (const stream of this.#streams) {
      let outcome;
      do outcome = this.#read(stream);
      // No limit ends this where only the tail is kept, and a pipe holds no more than one read of those.
      while (outcome === "data" && stream.tail === undefined);
      if (outcome !== "limit") continue;
      within = false;
      this.#close(stream);
    }
    return within;
  }

  /** Closes streams that someone else still holds open. */
  abandon(): void {
    for (const stream of this.#streams) {
      if (this.#fd(stream.record) < 0) continue;
      const { tail } = stream;
      stream.flags |= tail?.blocked === true ? OUTPUT.blocked : OUTPUT.held;
      if (tail?.blocked === true) tail.drop(READ_SIZE);
      this.#close(stream);
    }
  }

  /**
   * Of a launch that came to nothing: closes all, and frees what holds output. There may be such memory, though no child
   * has written: the end of a pipe is seen, and read, before the failure of its launch.
   */
  discard(): void {
    this.abandon();
    for (const { bulk, tail } of this.#streams) (tail ?? bulk).free();
  }

  /** Everything that was kept. */
  outputs(): CapturedOutput[] {
    return this.#streams.map((stream, i) => {
      const { target, flags, bulk, tail } = stream;
      if (tail !== undefined) return { fd: target, flags, bytes: tail.take() };
      if (!bulk.exists) return { fd: target, flags, bytes: joined(stream) };
      if (this.#wantsBytes) {
        try {
          return { fd: target, flags, bytes: bulk.toBytes() };
        } catch {
          // No memory for it here. The pool's thread has as little, and says so.
        }
      }
      bulk.trim();
      return { fd: target, flags, bytes: NOTHING, bulk: i };
    });
  }

  #close(stream: Stream): void {
    const fd = this.#fd(stream.record);
    if (fd < 0) return;
    // First forgotten, then closed: a successor must not close a number that is another's by then.
    this.#region.words[(stream.record + CAPTURE.fd) >> 2] = -1;
    close(fd);
    stream.tail?.close();
    this.#open--;
  }

  #read(stream: Stream): "data" | "empty" | "end" | "limit" {
    const fd = this.#fd(stream.record);
    if (fd < 0) return "end";
    if (stream.tail !== undefined) {
      const outcome = stream.tail.run(READ_SIZE);
      if (outcome === "end") this.#close(stream);
      return outcome === "blocked" ? "empty" : outcome;
    }
    const { bulk } = stream;
    const inBulk = bulk.exists;
    let n: number;
    if (inBulk) {
      n = read(fd, bulk.end, bulk.room);
    } else {
      if (scratchAddress === 0) scratchAddress = native().addressOf(scratch);
      n = read(fd, scratchAddress, READ_SIZE);
    }
    if (n === -EAGAIN || n === -EINTR) return "empty";
    if (n <= 0) {
      this.#close(stream);
      return "end";
    }
    const kept = Math.min(n, stream.limit - stream.size);
    if (inBulk) bulk.add(kept);
    else if (kept > 0) stream.chunks.push(scratch.slice(0, kept));
    stream.size += kept;
    const within = kept === n;
    if (within && (stream.size < READ_SIZE || makeRoom(stream, fd))) return "data";
    // No memory is a limit too.
    if (within) stream.flags |= OUTPUT.noMemory;
    const first = this.#streams.every(({ flags }) => (flags & OUTPUT.limit) === 0);
    stream.flags |= first ? OUTPUT.limit | OUTPUT.first : OUTPUT.limit;
    return "limit";
  }
}

/** From the first full pipe on: a larger pipe, and reads straight into the memory that is handed over. */
function makeRoom({ bulk, chunks }: Stream, fd: number): boolean {
  if (bulk.exists) return bulk.grow(READ_SIZE);
  setPipeSize(fd, LARGE_PIPE);
  if (!bulk.grow(READ_SIZE)) return false;
  for (const chunk of chunks.splice(0)) bulk.append(chunk);
  return true;
}

function joined({ chunks, size }: Stream): Uint8Array {
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0];
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
