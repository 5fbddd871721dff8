// Puts this process, all its threads and all its children under a seccomp filter.
import { withAddress } from "#pidpool/native/address.js";
import { native } from "#pidpool/native/load.js";

const x64 = process.arch === "x64";
const PRCTL = x64 ? 157 : 167;
const SECCOMP = x64 ? 317 : 277;
const AUDIT_ARCH = x64 ? 0xc000003e : 0xc00000b7;

/** Numbers of the system calls that the tests refuse. */
export const NR: Readonly<Record<"clone" | "unshare" | "pidfd_open" | "clone3" | "close_range", number>> = {
  clone: x64 ? 56 : 220,
  unshare: x64 ? 272 : 97,
  pidfd_open: 434,
  clone3: 435,
  close_range: 436,
};

/** Answer this system call with this errno; where `flags` is given, only if its first argument has one of them. */
export interface Refusal {
  readonly nr: number;
  readonly errno: number;
  readonly flags?: number;
}

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_BITS = 0x45;
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

/** The filter, as an array of `struct sock_filter`. */
export function refusalFilter(refusals: readonly Refusal[]): Uint8Array {
  const program: Instruction[] = [
    [LOAD, 0, 0, 4],
    [JUMP_EQUAL, 1, 0, AUDIT_ARCH],
    [RETURN, 0, 0, ALLOW],
  ];
  for (const { nr, errno, flags } of refusals) {
    program.push([LOAD, 0, 0, 0]);
    if (flags === undefined) program.push([JUMP_EQUAL, 0, 1, nr]);
    else program.push([JUMP_EQUAL, 0, 3, nr], [LOAD, 0, 0, 16], [JUMP_BITS, 0, 1, flags]);
    program.push([RETURN, 0, 0, ERRNO | errno]);
  }
  program.push([RETURN, 0, 0, ALLOW]);

  const bytes = new Uint8Array(program.length * 8);
  const filter = new DataView(bytes.buffer);
  program.forEach(([code, ifTrue, ifFalse, k], i) => {
    filter.setUint16(i * 8, code, true);
    filter.setUint8(i * 8 + 2, ifTrue);
    filter.setUint8(i * 8 + 3, ifFalse);
    filter.setUint32(i * 8 + 4, k >>> 0, true);
  });
  return bytes;
}

/** Installs the filter for good. */
export function refuse(refusals: readonly Refusal[]): void {
  const { syscall } = native();
  const filter = refusalFilter(refusals);
  const PR_SET_NO_NEW_PRIVS = 38;
  const SET_MODE_FILTER = 1;
  const TSYNC = 1;
  if (syscall(PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0) !== 0) throw new Error("no_new_privs was refused");
  const installed = withAddress(filter, (at) => {
    const header = new BigUint64Array([BigInt(filter.length / 8), BigInt(at)]);
    return withAddress(header, (head) => syscall(SECCOMP, SET_MODE_FILTER, TSYNC, head, 0, 0, 0));
  });
  if (installed !== 0) throw new Error(`seccomp was refused: ${installed}`);
}
