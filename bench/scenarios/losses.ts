// Where the contestant that all this is about does not win. That belongs into
// a report as much as where it does.
import { median } from "../stats.ts";
import type { Table } from "./table.ts";

/** Closer than this, two figures are the same. */
const TIE = 0.97;

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
    const own = table.median(group, hero, x);
    const share = median(samples) / own;
    if (label.startsWith(hero) || !(share < TIE) || own - median(samples) < least || !counts(group)) continue;
    const where = x === undefined ? "" : ` at ${x.toLocaleString("en-US").replaceAll(",", " ")}`;
    const key = `${group}: ${label}`;
    found.set(key, [...(found.get(key) ?? []), `${share.toFixed(2)}${where}`]);
  }
  return [...found].map(([key, shares]) => `${hero} does not win, ${key} needs of what it needs ${shares.join(", ")}`);
}
