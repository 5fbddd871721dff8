// Keeps the figures of a Markdown file equal to the results. What stands
// between such comments is written anew:
//
//   <!-- bench:table child_process | pidpool
//   a child in an empty heap | churn | empty heap
//   beside 1 000 idle ones | idle | 1 in flight | 1000
//   -->
//   <!-- /bench -->
//
// A line names what the reader is to see, the scenario, the group as
// docs/benchmarks.md has it, and where there is an axis, the place on it.
// bench:setup and bench:bars take no lines.
import { findContestants, OURS } from "./contestants.ts";
import { count, figure, times } from "./figures.ts";
import { escapeText, table } from "./markdown.ts";
import { arrange, type Entry } from "./panel.ts";
import type { Result } from "./result.ts";
import { describeBriefly } from "./setup.ts";
import { countBars } from "./verdicts.ts";

/** The files that have such blocks. */
export const PAGES_WITH_FIGURES: readonly string[] = ["README.md", "docs/isolation.md"];

const BLOCK = /(<!-- bench:(\w+)([^]*?)-->)[^]*?(<!-- \/bench -->)/g;

/** The same text with the results' figures; throws where it asks for some that there are not. */
export function fillFigures(text: string, results: readonly Result[]): string {
  return text.replaceAll(BLOCK, (_, open: string, kind: string, spec: string, close: string) =>
    [open, write(kind, spec, results), close].join("\n\n"),
  );
}

function write(kind: string, spec: string, results: readonly Result[]): string {
  switch (kind) {
    case "table":
      return writeTable(spec, results);
    case "setup":
      return describeBriefly(results);
    case "bars":
      return `${countBars(results)}.`;
    default:
      throw new Error(`there is no bench:${kind}; table, setup and bars there are`);
  }
}

function writeTable(spec: string, results: readonly Result[]): string {
  const [names = [], ...lines] = spec
    .trim()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const [first = "", second] = names;
  const hasRatio = names.length === 2 && second === OURS;
  const rows = lines.map((line) => {
    const { unit, entries } = find(line, results);
    const entryOf = (name: string): Entry | undefined => entries.find(({ who }) => who === name);
    const cells = [escapeText(line[0] ?? "")];
    for (const entry of names.map(entryOf)) cells.push(entry === undefined ? "–" : `${figure(entry.median)} ${unit}`);
    if (hasRatio) cells.push(times(entryOf(first)?.ratio ?? NaN));
    return cells;
  });
  const columns = [...names.map(escapeText), ...(hasRatio ? ["ratio"] : [])];
  return table([{ head: "" }, ...columns.map((head) => ({ head, right: true }))], rows);
}

function find(line: readonly string[], results: readonly Result[]): { unit: string; entries: readonly Entry[] } {
  const [, scenario, group, at] = line;
  const result = results.find((one) => one.scenario === scenario);
  const panels = result === undefined ? [] : arrange(result, findContestants(results));
  const panel = panels.find(({ title }) => title === group);
  const x = at === undefined ? undefined : Number(at.replaceAll(" ", ""));
  const entries = panel?.entries.filter((entry) => entry.x === x) ?? [];
  if (panel === undefined || entries.length === 0)
    throw new Error(
      `no results of "${scenario}", "${group}"${x === undefined ? "" : ` at ${count(x)}`}, which "${line[0]}" asks for; there is ${panels.map(({ title }) => `"${title}"`).join(", ")}`,
    );
  // "µs a child" has its "a child" in the reader's text already.
  return { unit: panel.unit.split(" ", 1)[0] ?? panel.unit, entries };
}
