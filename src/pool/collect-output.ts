// What a supervisor captured of one child, in the form that its user asked for.
import type { Region } from "../native/region.ts";
import type { Encoding } from "../process/options.ts";
import type { Truncation } from "../process/result.ts";
import { outputTail, tailText } from "../process/stderr-tail.ts";
import { Bulk } from "./bulk.ts";
import { OUTPUT, type CapturedOutput } from "./protocol.ts";

/** Captured output of one child. */
export interface Collected {
  /** By fd number. */
  readonly output: readonly (string | Buffer | null)[];
  readonly truncated: Truncation | null;
  /** The first fd that wrote more than the limit allows, -1 for none. */
  readonly full: number;
  /** What was met first was not the limit, but the end of memory. */
  readonly noMemory: boolean;
  /** The end of stderr, null where the supervisor had none of it. */
  readonly stderrTail: string | null;
}

/** Shared by all that capture nothing. */
const NOTHING: Collected = Object.freeze({
  output: Object.freeze([null, null, null]),
  truncated: null,
  full: -1,
  noMemory: false,
  stderrTail: null,
});

/** Takes the outputs out of their batch and out of the slot's bulks. */
export function collectOutput(
  region: Region,
  slot: number,
  { encoding, stderrTail: tailSize }: { readonly encoding: Encoding; readonly stderrTail: number },
  outputs: readonly CapturedOutput[],
): Collected {
  if (outputs.length === 0) return NOTHING;
  const output: (string | Buffer | null)[] = [null, null, null];
  let truncated: Truncation | null = null;
  let full = -1;
  let noMemory = false;
  let stderrTail: string | null = null;
  for (const { fd, flags, bytes, bulk } of outputs) {
    while (output.length < fd) output.push(null);
    if ((flags & OUTPUT.tail) !== 0) stderrTail = tailText(bytes, tailSize);
    else if (bulk !== undefined) {
      const text = takeText(new Bulk(region, slot, bulk), encoding);
      output[fd] = text ?? (encoding === "buffer" ? Buffer.alloc(0) : "");
      if (text === undefined) truncated = "no-memory";
    } else {
      output[fd] = encoding === "buffer" ? own(bytes) : asBuffer(bytes).toString(encoding);
    }
    if ((flags & OUTPUT.limit) !== 0) {
      if (full < 0 || (flags & OUTPUT.first) !== 0) {
        full = fd;
        noMemory = (flags & OUTPUT.noMemory) !== 0;
        truncated = noMemory ? "no-memory" : "output-limit";
      }
    } else if ((flags & OUTPUT.lost) !== 0) truncated ??= "supervisor-lost";
    else if ((flags & OUTPUT.held) !== 0) truncated ??= "held-open";
    else if ((flags & OUTPUT.blocked) !== 0) truncated ??= "blocked";
  }
  const stderr = output[2] ?? null;
  if (stderr !== null && tailSize > 0) stderrTail = outputTail(stderr, encoding, tailSize);
  return { output, truncated, full, noMemory, stderrTail };
}

/** Undefined where the process has no memory for it; the supervisor has tried to make a Buffer of it. */
function takeText(bulk: Bulk, encoding: Encoding): string | undefined {
  try {
    return encoding === "buffer" ? undefined : bulk.decode(encoding);
  } catch {
    return undefined;
  } finally {
    bulk.free();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** A small output lies in the batch's memory, which it must not keep. */
function own(bytes: Uint8Array): Buffer {
  return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : asBuffer(bytes);
}
