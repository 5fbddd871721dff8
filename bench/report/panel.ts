// Rows put side by side that answer one question: what a panel of a plot shows,
// and within what a table compares. Some scenarios group by what was done and
// label by contestant, some the other way round; panels are all of the first
// kind, as far as contestants are concerned.
import { median, summarize, type Summary } from "../stats.ts";
import { betterOf, type Better, type Row } from "../scenarios/scenario.ts";
import { isOurs, OURS } from "./contestants.ts";
import type { Result } from "./result.ts";

/** Figures of one kind. */
export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly better: Better;
  readonly entries: readonly Entry[];
  /** Whose figures the others are held against; undefined where nobody competes. */
  readonly reference: string | undefined;
}

/** One figure. */
export interface Entry extends Summary {
  readonly who: string;
  readonly x: number | undefined;
  readonly samples: readonly number[];
  /** It as a multiple of the reference's at the same x; NaN where there is none. */
  readonly ratio: number;
}

/** The panels of a scenario, in the order of its rows. */
export function arrange({ rows, unit: common }: Result, contestants: ReadonlySet<string>): Panel[] {
  const panels = new Map<string, { readonly who: string; readonly row: Row }[]>();
  for (const row of rows) {
    const { title, who } = place(row, contestants);
    const panel = panels.get(title);
    if (panel === undefined) panels.set(title, [{ who, row }]);
    else panel.push({ who, row });
  }
  return Array.from(panels, ([title, placed]) => {
    const ours = [...new Set(placed.map(({ who }) => who))].filter((who) => isOurs(who));
    const reference = ours.includes(OURS) ? OURS : ours[0];
    const entries = placed.map(({ who, row }): Entry => {
      const other = placed.find((one) => one.who === reference && one.row.x === row.x);
      const { x, samples } = row;
      return { who, x, samples, ...spread(samples), ratio: ratioOf(samples, other?.row.samples ?? []) };
    });
    const unit = placed[0]?.row.unit ?? common;
    const better = placed[0]?.row.better ?? betterOf(unit);
    return { title, unit, better, entries: entries.toSorted((a, b) => (a.x ?? 0) - (b.x ?? 0)), reference };
  });
}

/** The longest label that the group begins with is meant: "pidpool, newest Node" and not "pidpool". */
function place({ group, label }: Row, contestants: ReadonlySet<string>): { title: string; who: string } {
  const candidates = [...contestants].filter((name) => group === name || group.startsWith(`${name}, `));
  const who = candidates.toSorted((a, b) => b.length - a.length)[0];
  if (contestants.has(label) || who === undefined) return { title: group, who: label };
  const rest = group.slice(who.length + 2);
  return { title: rest === "" ? label : `${rest}, ${label}`, who };
}

function spread(samples: readonly number[]): Summary {
  return samples.length === 0 ? { median: NaN, min: NaN, max: NaN } : summarize(samples);
}

function ratioOf(ours: readonly number[], theirs: readonly number[]): number {
  const [over, under] = [median(ours), median(theirs)];
  return over >= 0 && under > 0 ? over / under : NaN;
}
