// The report's short answers: which promises hold, and where pidpool is behind.
import type { Bar } from "../scenarios/scenario.ts";
import { isMet } from "../scenarios/scenario.ts";
import { comparisons, defeats, type Defeat } from "./comparison.ts";
import { isFloor } from "./contestants.ts";
import { count, figure, times } from "./figures.ts";
import { blocks, escapeText, table } from "./markdown.ts";
import type { Panel } from "./panel.ts";
import type { Result } from "./result.ts";

/** A result with its panels. */
export interface Arranged {
  readonly result: Result;
  readonly panels: readonly Panel[];
}

/** In plain words. */
export function verdict(bar: Bar): string {
  const met = isMet(bar);
  if (met === undefined) return "not measured";
  return met ? "met" : "**MISSED**";
}

/** A bar's sides, with their unit. */
export function sides({ relation, limit, value, unit }: Bar): { readonly promised: string; readonly measured: string } {
  const show = (text: string, ratio: string): string => (unit === "x" ? ratio : `${text}\u00a0${unit}`);
  return {
    promised: `${relation} ${show(count(limit), `${count(limit)}\u00a0×`)}`,
    measured: Number.isNaN(value) ? "–" : show(figure(value), times(value)),
  };
}

/** How many bars hold. */
export function countBars(results: readonly Result[]): string {
  const all = results.flatMap(({ bars }) => bars.map(isMet));
  const number = (wanted: boolean | undefined): number => all.filter((met) => met === wanted).length;
  const counts = [`${number(true)} of ${all.length} bars met`];
  if (number(false) > 0) counts.push(`**${number(false)} MISSED**`);
  if (number(undefined) > 0) counts.push(`${number(undefined)} not measured`);
  return counts.join(", ");
}

/** Every bar. */
export function summarizeBars(results: readonly Result[]): string {
  const all = results.flatMap(({ scenario, bars }) => bars.map((bar) => ({ scenario, bar })));
  if (all.length === 0) return "No scenario has a bar.";
  return blocks(
    `${countBars(results)}.`,
    table(
      [{ head: "scenario" }, { head: "bar" }, { head: "must be" }, { head: "is", right: true }, { head: "verdict" }],
      all.map(({ scenario, bar }) => {
        const { promised, measured } = sides(bar);
        return [`[${scenario}](#${scenario})`, escapeText(bar.what), promised, measured, verdict(bar)];
      }),
    ),
  );
}

/** How often pidpool has the best figure, and everywhere that it has not. */
export function listDefeats(arranged: readonly Arranged[]): string {
  const lost = arranged.flatMap(({ result, panels }) =>
    panels.flatMap((panel) => defeats(panel).map((defeat) => ({ result, defeat }))),
  );
  const contestants = lost.filter(({ defeat }) => !defeat.floor);
  const floors = lost.filter(({ defeat }) => defeat.floor);
  return blocks(
    score(arranged),
    contestants.length === 0
      ? "No contestant is ahead of pidpool anywhere."
      : blocks("Contestants that are ahead of pidpool:", defeatTable(contestants)),
    floors.length === 0
      ? undefined
      : blocks(
          "Floors that are ahead of it. They are C programs that launch and reap and do nothing else, so this is how far pidpool is from what the kernel takes:",
          defeatTable(floors),
        ),
  );
}

function score(arranged: readonly Arranged[]): string {
  const pairs = arranged.flatMap(({ panels }) => panels.flatMap(comparisons));
  const parts = [false, true].map((floor) => {
    const these = pairs.filter(({ theirs }) => isFloor(theirs.who) === floor);
    const behind = these.filter(({ defeat }) => defeat).length;
    return `${behind} of ${these.length} comparisons with ${floor ? "floors" : "other contestants"}`;
  });
  return `pidpool has the worse median in ${parts.join(" and in ")}. "Overlap" says that the slowest round of the one and the fastest of the other leave it open who is ahead.`;
}

function defeatTable(lost: readonly { readonly result: Result; readonly defeat: Defeat }[]): string {
  const rows = lost.map(({ result: { scenario, axis }, defeat: { panel, who, points, compared } }) => {
    const xs = points.flatMap(({ theirs: { x } }) => (x === undefined ? [] : [count(x)]));
    const where = xs.length === 0 ? "" : `, ${axis ?? "x"}: ${xs.join(", ")} (${xs.length} of ${compared})`;
    const aheads = points.map(({ ahead }) => ahead);
    const overlaps = points.filter(({ overlap }) => overlap).length;
    return [
      `[${scenario}](#${scenario})`,
      escapeText(panel.title + where),
      escapeText(who),
      range(points.map(({ theirs }) => theirs.median)),
      range(points.map(({ ours }) => ours.median)),
      panel.unit,
      aheads.some((ahead) => !Number.isFinite(ahead)) ? "–" : range(aheads, times),
      overlapWord(overlaps, points.length),
    ];
  });
  return table(
    [
      { head: "scenario" },
      { head: "where" },
      { head: "who" },
      { head: "theirs", right: true },
      { head: "pidpool's", right: true },
      { head: "unit" },
      { head: "better by", right: true },
      { head: "overlap" },
    ],
    rows,
  );
}

function overlapWord(overlaps: number, of: number): string {
  if (overlaps === 0) return "no";
  return overlaps === of ? "yes" : `at ${overlaps} of ${of}`;
}

/** From the least to the greatest; one figure where they look the same. */
function range(values: readonly number[], show: (value: number) => string = figure): string {
  const [least, most] = [show(Math.min(...values)), show(Math.max(...values))];
  return least === most ? least : `${least} to ${most}`;
}
