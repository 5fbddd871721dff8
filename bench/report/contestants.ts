// Whose figure a row is. Scenarios name the contestant first, in the row's
// label or in its group, and then what is special about it: "pidpool",
// "pidpool, newest Node", "C, wait4".
import type { Result } from "./result.ts";

/** The one that all others are compared with. */
export const OURS = "pidpool";

/** Programs that only launch and reap, in C: what the kernel alone costs. */
const FLOOR = "C";

/** The contestant that a label begins with, without what is special about it. */
export function contestantOf(label: string): string {
  return label.split(", ", 1)[0] ?? label;
}

/** Whether this is pidpool, in any of its variants. */
export function isOurs(label: string): boolean {
  return contestantOf(label) === OURS;
}

/** Whether this is a floor and no contestant. */
export function isFloor(label: string): boolean {
  return contestantOf(label) === FLOOR;
}

/** The labels of all that are measured beside pidpool anywhere, and its own; sorted. */
export function findContestants(results: readonly Result[]): ReadonlySet<string> {
  const found = new Set([OURS]);
  for (const { rows } of results) {
    const groups = new Set(rows.filter(({ label }) => isOurs(label)).map(({ group }) => group));
    for (const { group, label } of rows) if (groups.has(group)) found.add(label);
  }
  return new Set([...found].toSorted());
}
