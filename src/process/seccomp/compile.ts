// A policy becomes a program for one architecture: the architecture is
// checked, then a binary search over ranges of numbers that are decided alike.
//
// Since Linux 5.11 the kernel runs a program once for every number when it is
// installed, and later lets pass without running it what is allowed whatever
// its arguments are. So only refused calls and those with tested arguments pay
// for the search, some ten instructions; in older kernels every call does,
// which is why it is a search and not a list.
//
// No program gets near the 4096 instructions that a kernel takes: each range
// is one jump and one block, and there are fewer ranges than system calls.
import { bare } from "../bare.ts";
import { answer, branch, encode, loadArch, loadNumber, split, skipIfEqual, type Instruction } from "./bpf.ts";
import { NUMBERS, type Arch } from "./numbers.ts";
import { decide, type Decision, type Policy } from "./policy.ts";
import { KILL_PROCESS, refuse } from "./verdict.ts";

/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64, linux/audit.h. */
const AUDIT_ARCH: Readonly<Record<Arch, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** `__X32_SYSCALL_BIT`. */
const X32_BIT = 0x40000000;

/** All numbers from `first` up to the next range's are decided alike. */
interface Range {
  readonly first: number;
  readonly decision: Decision;
}

/** The filter, an array of `struct sock_filter`. */
export function compile(policy: Policy, arch: Arch): Uint8Array {
  return encode([
    loadArch,
    // 32-bit programs, and `int 0x80` in 64-bit ones, have other numbers: their calls would be taken for others.
    skipIfEqual(AUDIT_ARCH[arch]),
    answer(KILL_PROCESS),
    loadNumber,
    ...searchTree(ranges(policy, arch)),
  ]);
}

function ranges(policy: Policy, arch: Arch): Range[] {
  const byNumber = new Map(Array.from(NUMBERS[arch], ([name, nr]) => [nr, decide(policy, name)]));
  const unknown: Decision = [bare({ verdict: policy.unknown })];
  const found: Range[] = [];
  const add = (first: number, decision: Decision): void => {
    const last = found.at(-1);
    if (last === undefined || !alike(last.decision, decision)) found.push({ first, decision });
  };
  const end = Math.max(...byNumber.keys()) + 1;
  for (let nr = 0; nr < end; nr++) add(nr, byNumber.get(nr) ?? unknown);
  add(end, unknown);
  // x32 has the same calls under other numbers and the same arch. Kernels without it say ENOSYS, and so does the filter.
  if (arch === "x64") add(X32_BIT, [bare({ verdict: refuse("ENOSYS") })]);
  return found;
}

function alike(a: Decision, b: Decision): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function searchTree(list: readonly Range[]): Instruction[] {
  const [only] = list;
  if (only === undefined) return [];
  if (list.length === 1) return block(only.decision);
  const middle = list.length >> 1;
  const pivot = list[middle]?.first ?? 0;
  return split(pivot, searchTree(list.slice(0, middle)), searchTree(list.slice(middle)));
}

function block(decision: Decision): Instruction[] {
  return decision.reduceRight<Instruction[]>(
    (rest, { verdict, when = [] }) => branch(when, [answer(verdict)], rest),
    [],
  );
}
