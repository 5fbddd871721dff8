// Where the contestant that all this is about does not win. That belongs into
// a report as much as where it does.
import { median } from "../stats.ts";
import type { Table } from "./table.ts";

/** Closer than this, two figures are the same. */
const TIE = 0.97;

/** C programs are faster by nature; how far off they are is for bars and notes of their own. */
const FLOOR = "C, ";

/**
 * A sentence for every group and contestant that is better than the hero somewhere; less is better.
 *
 * @param least Differences smaller than this are of no interest.
 * @param counts Groups that are.
 */
export function losses(
  table: Table,
  hero: string,
  { least = 0, counts = () => true }: { least?: number; counts?: (group: string) => boolean } = {},
): string[] {
  const found = new Map<string, string[]>();
  for (const { group, label, x, samples } of table.measured) {
    if (label.startsWith(hero) || label.startsWith(FLOOR) || !counts(group)) continue;
    const own = table.median(group, hero, x);
    const theirs = median(samples);
    if (!(theirs < TIE * own) || own - theirs < least) continue;
    const where = x === undefined ? "" : ` at ${x.toLocaleString("en-US").replaceAll(",", " ")}`;
    const key = `${hero} loses to ${label}, ${group}`;
    found.set(key, [...(found.get(key) ?? []), `${(theirs / own).toFixed(2)}${where}`]);
  }
  return [...found].map(([key, shares]) => `${key}: its figure is ${shares.join(", ")} of ${hero}'s`);
}
