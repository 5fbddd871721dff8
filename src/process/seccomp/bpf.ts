// Classic BPF as seccomp runs it: the few instructions that filters here need,
// and blocks of them. Every block ends in a return, so it runs wherever it
// stands; jumps only go forward, within a block.
import type { ArgumentTest } from "./policy.ts";
import type { Verdict } from "./verdict.ts";

/** `struct sock_filter`. The two jumps count instructions and have 8 bits. */
export type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

const LD_W_ABS = 0x20;
const JMP_JA = 0x05;
const JMP_JEQ_K = 0x15;
const JMP_JGE_K = 0x35;
const JMP_JSET_K = 0x45;
const RET_K = 0x06;
const MAX_JUMP = 255;

/** Offsets in `struct seccomp_data`. Both architectures are little-endian: an argument's lower half comes first. */
const DATA = { nr: 0, arch: 4, args: 16 } as const;

export const loadNumber: Instruction = [LD_W_ABS, 0, 0, DATA.nr];
export const loadArch: Instruction = [LD_W_ABS, 0, 0, DATA.arch];

export function answer(verdict: Verdict): Instruction {
  return [RET_K, 0, 0, verdict];
}

/** Skips one instruction if the loaded word is this value. */
export function skipIfEqual(value: number): Instruction {
  return [JMP_JEQ_K, 1, 0, value];
}

/** Runs `below` where the loaded word is less than the pivot, else `rest`. */
export function split(pivot: number, below: readonly Instruction[], rest: readonly Instruction[]): Instruction[] {
  return below.length <= MAX_JUMP
    ? [[JMP_JGE_K, below.length, 0, pivot], ...below, ...rest]
    : [[JMP_JGE_K, 0, 1, pivot], [JMP_JA, 0, 0, below.length], ...below, ...rest];
}

/** Runs `then` where all tests hold, else `rest`. Overwrites the loaded word. */
export function branch(
  tests: readonly ArgumentTest[],
  then: readonly Instruction[],
  rest: readonly Instruction[],
): Instruction[] {
  const tested = [...then];
  for (const test of tests.toReversed()) {
    tested.unshift([LD_W_ABS, 0, 0, DATA.args + 8 * test.argument], ...jumps(test, tested.length));
  }
  return [...tested, ...rest];
}

/** Goes on where the test holds, else skips `fail` instructions. */
function jumps(test: ArgumentTest, fail: number): Instruction[] {
  if (isBits(test)) {
    return [test.has === "anyBit" ? [JMP_JSET_K, 0, fail, test.bits] : [JMP_JSET_K, fail, 0, test.bits]];
  }
  return test.values.map((value, i): Instruction => {
    const left = test.values.length - 1 - i;
    if (test.is === "noneOf") return [JMP_JEQ_K, left + fail, 0, value];
    return [JMP_JEQ_K, left, left === 0 ? fail : 0, value];
  });
}

function isBits(test: ArgumentTest): test is Extract<ArgumentTest, { readonly has: unknown }> {
  return Object.hasOwn(test, "has");
}

/** The program as the kernel takes it: an array of `struct sock_filter`. */
export function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, ifTrue, ifFalse, k], i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, ifTrue);
    view.setUint8(i * 8 + 3, ifFalse);
    view.setUint32(i * 8 + 4, k, true);
  });
  return bytes;
}
