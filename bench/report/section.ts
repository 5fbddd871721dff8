// What the report says about one scenario.
import { count, figure, times } from "./figures.ts";
import { contestantOf, isFloor, isOurs, OURS } from "./contestants.ts";
import { blocks, bullets, escapeText, table, type Column } from "./markdown.ts";
import type { Panel } from "./panel.ts";
import { sides, verdict, type Arranged } from "./verdicts.ts";

/** Where a scenario's plot is, seen from the page. */
export function plotPath(scenario: string): string {
  return `benchmarks/${scenario}.svg`;
}

/** Title, plot, table, bars and notes. */
export function describeScenario(arranged: Arranged, contestants: ReadonlySet<string>): string {
  const { scenario, title, notes } = arranged.result;
  return blocks(
    `## ${scenario}`,
    `${capitalize(escapeText(title))}.`,
    `![${escapeText(`${scenario}: medians and spreads; the figures are in the table below`)}](${plotPath(scenario)})`,
    figures(arranged),
    absent(arranged, contestants),
    bars(arranged),
    notes.length === 0 ? undefined : blocks("Notes of the run:", bullets(notes)),
  );
}

function figures({ result: { axis }, panels }: Arranged): string {
  const hasAxis = panels.some(({ entries }) => entries.some(({ x }) => x !== undefined));
  const hasRatio = panels.some(({ reference }) => reference !== undefined);
  const units = [...new Set(panels.map(({ unit }) => unit))];
  const columns: Column[] = [
    { head: "group" },
    ...(hasAxis ? [{ head: axis ?? "x", right: true }] : []),
    { head: "" },
    { head: units.length === 1 ? `median, ${units.join("")}` : "median", right: true },
    { head: "min – max", right: true },
    ...(units.length === 1 ? [] : [{ head: "unit" }]),
    ...(hasRatio ? [{ head: "÷ pidpool", right: true }] : []),
  ];
  const rows = panels.flatMap(({ title, unit, entries }) =>
    entries.map(({ who, x, median, min, max, ratio }) => [
      escapeText(title),
      ...(hasAxis ? [x === undefined ? "" : count(x)] : []),
      isOurs(who) ? `**${escapeText(who)}**` : escapeText(who),
      Number.isNaN(median) ? "not measured" : figure(median),
      Number.isNaN(median) ? "" : `${figure(min)} – ${figure(max)}`,
      ...(units.length === 1 ? [] : [unit]),
      ...(hasRatio ? [Number.isNaN(ratio) ? "" : times(ratio)] : []),
    ]),
  );
  return blocks(direction(panels), table(columns, rows));
}

function direction(panels: readonly Panel[]): string {
  const directions = [...new Set(panels.map(({ better }) => better))];
  if (directions.length === 1) return `${capitalize(directions.join(""))} is better.`;
  const said = directions.map((wanted) => {
    const these = panels.filter(({ better }) => better === wanted).map(({ title }) => escapeText(title));
    return `${capitalize(wanted)} is better: ${these.join("; ")}.`;
  });
  return said.map((line) => `- ${line}`).join("\n");
}

/** Those that take part elsewhere, but have no figure here. */
function absent({ panels }: Arranged, contestants: ReadonlySet<string>): string | undefined {
  if (panels.every(({ reference }) => reference === undefined)) return undefined;
  const present = new Set(panels.flatMap(({ entries }) => entries.map(({ who }) => contestantOf(who))));
  const names = [...new Set([...contestants].map(contestantOf))].filter(
    (name) => name !== OURS && !isFloor(name) && !present.has(name),
  );
  return names.length === 0 ? undefined : `Not in this scenario: ${names.map(escapeText).join(", ")}.`;
}

function bars({ result }: Arranged): string | undefined {
  if (result.bars.length === 0) return undefined;
  const lines = result.bars.map((bar) => {
    const { promised, measured } = sides(bar);
    return `- ${escapeText(bar.what)} must be ${promised} and is ${measured}: ${verdict(bar)}`;
  });
  return blocks(result.bars.length === 1 ? "Bar:" : "Bars:", lines.join("\n"));
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
