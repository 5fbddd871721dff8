// What crosses between a pool's thread and a supervisor thread; both sides
// import this file and nothing of each other. Downwards few, small objects,
// each announced through the wake eventfd. Upwards one packed message a batch.
import type { MessagePort } from "node:worker_threads";

/** Handed to a supervisor thread when it starts; its predecessor, if any, had the same but for the port. */
export interface SupervisorStart {
  /** Address of the region. */
  readonly region: number;
  readonly epoll: number;
  readonly wake: number;
  readonly port: MessagePort;
  /** In milliseconds. */
  readonly longestSleep: number;
  /** True where an earlier supervisor thread of this region died. */
  readonly successor: boolean;
}

/** Downwards: end this child, for this reason (an index into REASONS). */
export interface StopMessage {
  readonly slot: number;
  readonly generation: number;
  readonly reason: number;
  readonly signal: number;
}

/** Upwards: what became of a slot. */
export const RECORD = { launched: 1, failed: 2, exited: 3, cancelled: 4 } as const;

/** Bits of an output's header, beside the child's fd number. */
export const OUTPUT = { fdMask: 0xffff, limit: 0x10000, held: 0x20000, lost: 0x40000, large: 0x80000 } as const;

/** Output of one captured fd. */
export interface CapturedOutput {
  readonly fd: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** Larger outputs travel as buffers of their own, handed over without a copy. */
export const INLINE_OUTPUT = 16384;

/** Upwards: a packed batch, with the large outputs that it mentions in order. */
export type BatchMessage = Uint8Array | { readonly batch: Uint8Array; readonly large: readonly Uint8Array[] };

/** Collects records until they are sent as one message. */
export class BatchWriter {
  #bytes = new Uint8Array(4096);
  #words = new Int32Array(this.#bytes.buffer);
  #length = 0;
  #large: Uint8Array[] = [];

  get empty(): boolean {
    return this.#length === 0;
  }

  /** Adds a record. `generation` tells apart the children that a slot has had. */
  add(record: number, slot: number, generation: number, outputs: readonly CapturedOutput[] = []): void {
    const inline = outputs.reduce((sum, { bytes }) => sum + (bytes.length > INLINE_OUTPUT ? 0 : bytes.length + 3), 0);
    this.#reserve(12 + outputs.length * 8 + inline);
    this.#word(record | (outputs.length << 8));
    this.#word(slot);
    this.#word(generation);
    for (const { fd, flags, bytes } of outputs) {
      const large = bytes.length > INLINE_OUTPUT;
      this.#word(fd | flags | (large ? OUTPUT.large : 0));
      if (large) {
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
    if (large.length === 0) port.postMessage(batch, [batch.buffer]);
    else port.postMessage({ batch, large }, [batch.buffer, ...large.map((bytes) => bytes.buffer as ArrayBuffer)]);
  }
}

/** Calls `each` for every record of a batch, in order. */
export function readBatch(
  message: BatchMessage,
  each: (record: number, slot: number, generation: number, outputs: CapturedOutput[]) => void,
): void {
  const bytes = message instanceof Uint8Array ? message : message.batch;
  const large = message instanceof Uint8Array ? [] : message.large;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  let at = 0;
  while (at < words.length) {
    const head = words[at] ?? 0;
    const slot = words[at + 1] ?? 0;
    const generation = words[at + 2] ?? 0;
    at += 3;
    const outputs: CapturedOutput[] = [];
    for (let i = head >> 8; i > 0; i--) {
      const mark = words[at] ?? 0;
      const value = words[at + 1] ?? 0;
      at += 2;
      let output: Uint8Array;
      if ((mark & OUTPUT.large) !== 0) {
        output = large[value] ?? new Uint8Array(0);
      } else {
        output = bytes.subarray(at * 4, at * 4 + value);
        at += (value + 3) >> 2;
      }
      outputs.push({ fd: mark & OUTPUT.fdMask, flags: mark & ~(OUTPUT.fdMask | OUTPUT.large), bytes: output });
    }
    each(head & 0xff, slot, generation, outputs);
  }
}

/** epoll data for a fd of a slot: 0 is the pidfd, n the n-th captured fd. */
export function eventToken(slot: number, kind: number): number {
  return slot | (kind << 24);
}
