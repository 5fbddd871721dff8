// What crosses between a pool's thread and a supervisor thread; both sides
// import this file and nothing of each other. Downwards few, small objects,
// each announced through the wake eventfd. Upwards a ring in shared memory for
// what became of slots, announced through a pipe, and messages for captured
// output.
import type { MessagePort } from "node:worker_threads";

/** Handed to a supervisor thread when it starts; its predecessor, if any, had the same but for the port. */
export interface SupervisorStart {
  /** Address of the region. */
  readonly region: number;
  readonly epoll: number;
  readonly wake: number;
  /** Write end of a pipe: a byte in it says that there are reports. */
  readonly bell: number;
  readonly port: MessagePort;
  /** In milliseconds. */
  readonly longestSleep: number;
}

/** Downwards: end this child, for this reason (an index into REASONS). */
export interface StopMessage {
  readonly slot: number;
  readonly generation: number;
  readonly reason: number;
  readonly signal: number;
}

/** Upwards: what became of a slot, and what its child says: a message of the sd_notify protocol, as an output. */
export const RECORD = { launched: 1, failed: 2, exited: 3, cancelled: 4, notified: 5 } as const;

/** Bits of an output's header, beside the child's fd number. */
export const OUTPUT = {
  fdMask: 0xffff,
  limit: 0x10000,
  held: 0x20000,
  lost: 0x40000,
  large: 0x80000,
  bulk: 0x100000,
  /** Not output to deliver, but the end of what went elsewhere. */
  tail: 0x200000,
  /** Nobody took what was still to be passed on. */
  blocked: 0x400000,
  /** Of those that exceeded the limit, the first: the child was stopped for it. */
  first: 0x800000,
  /** It was not the limit that was met: there was no memory for more. */
  noMemory: 0x1000000,
} as const;

/** Output of one captured fd. */
export interface CapturedOutput {
  readonly fd: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
  /** Where it lies in a bulk (bulk.ts) instead of `bytes`: which of its slot's. */
  readonly bulk?: number | undefined;
}

/** Upwards: children that ended with output (output-batch.ts). Packed records, and the large outputs that they mention in order. */
export interface OutputBatch {
  readonly batch: Uint8Array;
  readonly large: readonly Uint8Array[];
}

/** Kinds of fds whose child speaks of itself. */
export const NOTIFY_SOCKET = 64;
export const NOTIFY_FD = 65;

/** epoll data for a fd of a slot: 0 is the pidfd, n the n-th captured fd, or one of those above. */
export function eventToken(slot: number, kind: number): number {
  return slot | (kind << 24);
}
