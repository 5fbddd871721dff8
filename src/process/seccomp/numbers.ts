// Which system calls there are, and their numbers.
import { NUMBERS_ARM64 } from "./numbers-arm64.ts";
import { NUMBERS_X64 } from "./numbers-x64.ts";

/** An architecture that filters are compiled for. */
export type Arch = "x64" | "arm64";

export const NUMBERS: Readonly<Record<Arch, ReadonlyMap<string, number>>> = {
  x64: new Map(Object.entries(NUMBERS_X64)),
  arm64: new Map(Object.entries(NUMBERS_ARM64)),
};

/** There is such a system call on some architecture. */
export function isSyscall(name: string): boolean {
  return NUMBERS.x64.has(name) || NUMBERS.arm64.has(name);
}

/** The system call that was probably meant, if one is written nearly like it. */
export function similarSyscall(name: string): string | undefined {
  let best: string | undefined;
  let least = 3;
  for (const candidate of new Set([...NUMBERS.x64.keys(), ...NUMBERS.arm64.keys()])) {
    // Nobody errs in the first letter: "umount" is umount2, though mount is as near.
    const distance = editDistance(name.toLowerCase(), candidate) + (candidate[0] === name[0]?.toLowerCase() ? 0 : 0.5);
    if (distance < least && distance < candidate.length / 2) [best, least] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's: how many characters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
