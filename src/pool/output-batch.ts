// Captured output, packed for its way from the supervisor thread to the pool's
// thread: one message for all children that ended together. Large outputs are
// handed over without a copy.
import type { MessagePort } from "node:worker_threads";
import { OUTPUT, type CapturedOutput, type OutputBatch } from "./protocol.ts";

/** Larger outputs travel as buffers of their own. */
export const INLINE_OUTPUT = 16384;
const FIRST_SIZE = 4096;
const NOTHING = new Uint8Array(0);

/** Collects the outputs of children that have ended until they are sent as one message. */
export class OutputWriter {
  #bytes = new Uint8Array(FIRST_SIZE);
  #words = new Int32Array(this.#bytes.buffer);
  #length = 0;
  #large: Uint8Array[] = [];

  /** `generation` tells apart the children that a slot has had. */
  add(record: number, slot: number, generation: number, outputs: readonly CapturedOutput[]): void {
    const inline = outputs.reduce((sum, { bytes }) => sum + (bytes.length > INLINE_OUTPUT ? 0 : bytes.length + 3), 0);
    this.#reserve(12 + outputs.length * 8 + inline);
    this.#word(record | (outputs.length << 8));
    this.#word(slot);
    this.#word(generation);
    for (const { fd, flags, bytes, bulk } of outputs) {
      const large = bytes.length > INLINE_OUTPUT;
      this.#word(fd | flags | (bulk !== undefined ? OUTPUT.bulk : large ? OUTPUT.large : 0));
      if (bulk !== undefined) {
        this.#word(bulk);
      } else if (large) {
        this.#word(this.#large.push(bytes) - 1);
      } else {
        this.#word(bytes.length);
        this.#bytes.set(bytes, this.#length);
        this.#length += (bytes.length + 3) & ~3;
      }
    }
  }

  #word(value: number): void {
    this.#words[this.#length >> 2] = value;
    this.#length += 4;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes + 4) & ~3);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#words = new Int32Array(grown.buffer);
  }

  /** Posts what has been collected, if anything, and starts anew. */
  flush(port: MessagePort): void {
    if (this.#length === 0) return;
    const batch = this.#bytes.slice(0, this.#length);
    const large = this.#large;
    this.#length = 0;
    this.#large = [];
    port.postMessage({ batch, large } satisfies OutputBatch, [
      batch.buffer,
      ...large.map((bytes) => bytes.buffer as ArrayBuffer),
    ]);
  }
}

/** Reads a batch record by record. */
export class OutputReader {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #large: readonly Uint8Array[];
  #at = 0;

  constructor({ batch, large }: OutputBatch) {
    this.#bytes = batch;
    this.#words = new Int32Array(batch.buffer, batch.byteOffset, batch.length >> 2);
    this.#large = large;
  }

  /** Takes the next record and calls `each` for it; false where there is none. */
  next(each: (record: number, slot: number, generation: number, outputs: readonly CapturedOutput[]) => void): boolean {
    if (this.#at >= this.#words.length) return false;
    const head = this.#word();
    const slot = this.#word();
    const generation = this.#word();
    const outputs: CapturedOutput[] = [];
    for (let i = head >> 8; i > 0; i--) outputs.push(this.#output());
    each(head & 0xff, slot, generation, outputs);
    return true;
  }

  #word(): number {
    return this.#words[this.#at++] ?? 0;
  }

  #output(): CapturedOutput {
    const mark = this.#word();
    const value = this.#word();
    const flags = mark & ~(OUTPUT.fdMask | OUTPUT.large | OUTPUT.bulk);
    const fd = mark & OUTPUT.fdMask;
    if ((mark & OUTPUT.bulk) !== 0) return { fd, flags, bytes: NOTHING, bulk: value };
    if ((mark & OUTPUT.large) !== 0) return { fd, flags, bytes: this.#large[value] ?? NOTHING, bulk: undefined };
    const bytes = this.#bytes.subarray(this.#at * 4, this.#at * 4 + value);
    this.#at += (value + 3) >> 2;
    return { fd, flags, bytes, bulk: undefined };
  }
}
