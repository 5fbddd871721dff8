// A piped stderr that remembers the end of what was read from it, however its
// reader reads.
import { Socket } from "node:net";
import { tailText } from "../process/stderr-tail.ts";

/** The pool's end of a child's stderr. */
export class TailedSocket extends Socket {
  readonly #size: number;
  #tail: Uint8Array | undefined;

  constructor(fd: number, size: number) {
    super({ fd, readable: true, writable: false });
    this.#size = size;
  }

  /** Everything that comes in from the pipe comes through here, once; nothing is asked for that would not come anyway. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk instanceof Uint8Array && chunk.length > 0) this.#keep(chunk);
    return super.push(chunk, encoding);
  }

  /** The last bytes that were read so far. */
  get tail(): string {
    return this.#tail === undefined ? "" : tailText(this.#tail, this.#size);
  }

  /** Copies: a chunk is part of a larger buffer, and its reader's. 3 bytes more tell where a character begins. */
  #keep(chunk: Uint8Array): void {
    const room = this.#size + 3;
    const before = this.#tail;
    const kept = chunk.length >= room ? 0 : Math.min(before?.length ?? 0, room - chunk.length);
    const tail = new Uint8Array(kept + Math.min(chunk.length, room));
    if (before !== undefined && kept > 0) tail.set(before.subarray(before.length - kept));
    tail.set(chunk.subarray(Math.max(0, chunk.length - room)), kept);
    this.#tail = tail;
  }
}
