// Captured output of one child, in the supervisor thread: reads what the pipes
// hold, keeps it up to the limit, says how each stream ended.
import { EAGAIN, EINTR } from "../native/errno.ts";
import { CAPTURE, SLOT } from "../native/layout.ts";
import { native } from "../native/load.ts";
import type { Region } from "../native/region.ts";
import { close, read, setPipeSize } from "../native/syscalls.ts";
import { OUTPUT, type CapturedOutput } from "./protocol.ts";

/** The default size of a pipe: one read empties it. */
const READ_SIZE = 65536;
const LARGE_PIPE = 1 << 20;

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
  bulk: Uint8Array | undefined;
  size: number;
}

/** The captured streams of one child. */
export class Capture {
  readonly #region: Region;
  readonly #streams: Stream[] = [];
  #open = 0;

  /** @param lost true where an earlier supervisor may have taken some of the output with it. */
  constructor(region: Region, slot: number, lost: boolean) {
    this.#region = region;
    const at = region.slot(slot);
    const count = region.words[(at + SLOT.captures) >> 2] ?? 0;
    for (let i = 0; i < count; i++) {
      const record = at + SLOT.capture + i * CAPTURE.SIZE;
      const target = region.words[(record + CAPTURE.target) >> 2] ?? 0;
      const limit = region.doubles[(record + CAPTURE.limit) >> 3] ?? 0;
      this.#streams.push({
        record,
        target,
        limit,
        flags: lost ? OUTPUT.lost : 0,
        chunks: [],
        bulk: undefined,
        size: 0,
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
      while (outcome === "data");
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
      stream.flags |= OUTPUT.held;
      this.#close(stream);
    }
  }

  /** Everything that was kept. */
  outputs(): CapturedOutput[] {
    return this.#streams.map((stream) => ({ fd: stream.target, flags: stream.flags, bytes: joined(stream) }));
  }

  #close(stream: Stream): void {
    const fd = this.#fd(stream.record);
    if (fd < 0) return;
    // First forgotten, then closed: a successor must not close a number that is another's by then.
    this.#region.words[(stream.record + CAPTURE.fd) >> 2] = -1;
    close(fd);
    this.#open--;
  }

  #read(stream: Stream): "data" | "empty" | "end" | "limit" {
    const fd = this.#fd(stream.record);
    if (fd < 0) return "end";
    const { bulk } = stream;
    let n: number;
    if (bulk === undefined) {
      if (scratchAddress === 0) scratchAddress = native().addressOf(scratch);
      n = read(fd, scratchAddress, READ_SIZE);
    } else {
      n = read(fd, native().addressOf(bulk) + stream.size, bulk.length - stream.size);
    }
    if (n === -EAGAIN || n === -EINTR) return "empty";
    if (n <= 0) {
      this.#close(stream);
      return "end";
    }
    const kept = Math.min(n, stream.limit - stream.size);
    if (bulk === undefined && kept > 0) stream.chunks.push(scratch.slice(0, kept));
    stream.size += kept;
    if (kept < n) {
      stream.flags |= OUTPUT.limit;
      return "limit";
    }
    if (stream.size >= READ_SIZE) grow(stream, fd);
    return "data";
  }
}

/** From the first full pipe on: a larger pipe, and reads straight into the buffer that is handed over. */
function grow(stream: Stream, fd: number): void {
  const { bulk, size } = stream;
  if (bulk === undefined) setPipeSize(fd, LARGE_PIPE);
  else if (bulk.length - size >= READ_SIZE) return;
  const capacity = Math.max(4 * READ_SIZE, Math.min(size * 2, stream.limit + READ_SIZE));
  const grown = new Uint8Array(Math.max(capacity, size + READ_SIZE));
  if (bulk === undefined) join(stream.chunks, grown);
  else grown.set(bulk.subarray(0, size));
  stream.chunks = [];
  stream.bulk = grown;
}

function join(chunks: readonly Uint8Array[], target: Uint8Array): void {
  let at = 0;
  for (const chunk of chunks) {
    target.set(chunk, at);
    at += chunk.length;
  }
}

function joined({ chunks, bulk, size }: Stream): Uint8Array {
  if (bulk !== undefined) return bulk.length > size * 1.5 ? bulk.slice(0, size) : bulk.subarray(0, size);
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0];
  const all = new Uint8Array(size);
  join(chunks, all);
  return all;
}
