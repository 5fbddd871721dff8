// The end of stderr: which fd plan keeps it, and its text.
import { InvalidOptionError } from "../errors.ts";
import { CAPTURE } from "../native/layout.ts";
import type { Encoding } from "./options.ts";
import type { FdPlan } from "./stdio.ts";
import { integer } from "./validate.ts";

const DEFAULT_TAIL = 4096;
const MAX_TAIL = 1 << 20;

/**
 * How much of stderr's end is kept, and the fds with the pipe that this may need.
 *
 * @param given The option, or the pool's default for it.
 * @param explicit Whether the launch itself gives it: then it must be possible.
 * @throws InvalidOptionError
 */
export function planStderrTail(
  fds: readonly FdPlan[],
  given: unknown,
  explicit: boolean,
): { fds: readonly FdPlan[]; stderrTail: number } {
  const plan = fds.find(({ target }) => target === 2);
  const read = plan?.kind === "capture" || plan?.kind === "pipe";
  if (given === undefined) return { fds, stderrTail: read ? DEFAULT_TAIL : 0 };
  const size = integer("stderrTail", given, 0, MAX_TAIL);
  if (size === 0 || plan === undefined || read) return { fds, stderrTail: size };
  if (plan.kind === "file") {
    if (explicit)
      throw new InvalidOptionError("stderrTail", given, "where stderr is a file it must be 0: the file has its end");
    return { fds, stderrTail: 0 };
  }
  if (fds.filter(({ kind }) => kind === "capture").length === CAPTURE.MAX) {
    const why = `where ${CAPTURE.MAX} fds are captured besides stderr it must be 0: no more can be read`;
    throw new InvalidOptionError("stderrTail", given, why);
  }
  const passTo = plan.kind === "fd" ? plan.fd : -1;
  return {
    fds: fds.map((other) => (other === plan ? { target: 2, kind: "tail", passTo } : other)),
    stderrTail: size,
  };
}

/** Bytes that were cut off somewhere, from the first byte of a UTF-8 character on. */
export function fromCharacter(bytes: Uint8Array): Uint8Array {
  let from = 0;
  while (from < 3 && ((bytes[from] ?? 0) & 0xc0) === 0x80) from++;
  return bytes.subarray(from);
}

/** The last bytes as UTF-8 text. */
export function tailText(bytes: Uint8Array, size: number): string {
  const tail = bytes.length > size ? fromCharacter(bytes.subarray(bytes.length - size)) : bytes;
  return Buffer.from(tail.buffer, tail.byteOffset, tail.length).toString("utf8");
}

/** The same of captured output, in whatever form it was asked for. */
export function outputTail(output: string | Buffer, encoding: Encoding, size: number): string {
  if (output.length === 0 || size === 0) return "";
  if (typeof output !== "string") return tailText(output, size);
  if (encoding === "hex" || encoding === "base64" || encoding === "base64url")
    return tailText(Buffer.from(output, encoding), size);
  // A code unit makes 3 bytes at most. A slice as it is would keep the whole string alive.
  return output.length * 3 <= size ? output : tailText(Buffer.from(output.slice(-size), "utf8"), size);
}
