// Who is ahead of pidpool, and where. A floor has to be ahead, a contestant
// ought not to be; both are told.
import { isFloor, isOurs } from "./contestants.ts";
import type { Entry, Panel } from "./panel.ts";

/** A panel in which somebody has better figures than pidpool. */
export interface Defeat {
  readonly panel: Panel;
  readonly who: string;
  readonly floor: boolean;
  /** Where on the axis, with both figures. */
  readonly points: readonly Pair[];
  /** At how many points the two were compared. */
  readonly compared: number;
}

/** Somebody's figure beside pidpool's. */
export interface Pair {
  readonly theirs: Entry;
  readonly ours: Entry;
  /** How many times better theirs is, or worse where it is below 1; NaN where that cannot be said in times. */
  readonly ahead: number;
  /** Whether a round of the one could have been a round of the other. */
  readonly overlap: boolean;
  /** Whether theirs is the better median. */
  readonly defeat: boolean;
}

/** All that can be compared in a panel. */
export function comparisons({ entries, reference, better }: Panel): Pair[] {
  if (better === "neither") return [];
  const pairs: Pair[] = [];
  for (const theirs of entries) {
    if (isOurs(theirs.who)) continue;
    const ours = entries.find(({ who, x }) => who === reference && x === theirs.x);
    if (ours === undefined || Number.isNaN(theirs.median) || Number.isNaN(ours.median)) continue;
    const ahead = better === "lower" ? 1 / theirs.ratio : theirs.ratio;
    const overlap = theirs.min <= ours.max && ours.min <= theirs.max;
    const defeat = better === "lower" ? theirs.median < ours.median : theirs.median > ours.median;
    pairs.push({ theirs, ours, ahead, overlap, defeat });
  }
  return pairs;
}

/** Everybody who is ahead of pidpool in a panel. */
export function defeats(panel: Panel): Defeat[] {
  const pairs = comparisons(panel);
  return [...new Set(pairs.map(({ theirs }) => theirs.who))].flatMap((who) => {
    const all = pairs.filter(({ theirs }) => theirs.who === who);
    const points = all.filter(({ defeat }) => defeat);
    return points.length === 0 ? [] : [{ panel, who, floor: isFloor(who), points, compared: all.length }];
  });
}
