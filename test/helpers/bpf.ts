// Runs a seccomp filter as the kernel would, on made-up system calls.

/** `struct seccomp_data`, without the instruction pointer. */
export interface SyscallData {
  readonly nr: number;
  readonly arch: number;
  readonly args?: readonly bigint[];
}

export const AUDIT_ARCH: Readonly<Record<"x64" | "arm64", number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** What the filter answers, and by how many instructions. Throws on what a kernel would not load. */
export function runFilter(
  filter: Uint8Array,
  { nr, arch, args = [] }: SyscallData,
): { verdict: number; steps: number } {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, arch, true);
  args.forEach((arg, i) => data.setBigUint64(16 + 8 * i, BigInt.asUintN(64, arg), true));
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const length = filter.length / 8;
  if (!Number.isInteger(length) || length < 1 || length > 4096) throw new Error(`a filter of ${filter.length} bytes`);
  let word = 0;
  for (let at = 0, steps = 1; ; at++, steps++) {
    if (at >= length) throw new Error("the filter runs past its end");
    const code = program.getUint16(at * 8, true);
    const ifTrue = program.getUint8(at * 8 + 2);
    const ifFalse = program.getUint8(at * 8 + 3);
    const k = program.getUint32(at * 8 + 4, true);
    switch (code) {
      case 0x20: // LD W ABS
        if (k % 4 !== 0 || k > 60) throw new Error(`a load from offset ${k}`);
        word = data.getUint32(k, true);
        break;
      case 0x05: // JMP JA
        at += k;
        break;
      case 0x15: // JMP JEQ K
        at += word === k ? ifTrue : ifFalse;
        break;
      case 0x35: // JMP JGE K
        at += word >= k ? ifTrue : ifFalse;
        break;
      case 0x45: // JMP JSET K
        at += (word & k) !== 0 ? ifTrue : ifFalse;
        break;
      case 0x06: // RET K
        return { verdict: k, steps };
      default:
        throw new Error(`instruction ${at} has the code ${code}`);
    }
  }
}
