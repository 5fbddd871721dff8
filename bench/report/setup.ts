// Which machine the figures come from, with which versions, and whether all
// come from the same.
import { isDeepStrictEqual } from "node:util";
import { blocks, escapeText, table } from "./markdown.ts";
import type { Description, Result } from "./result.ts";

/** Differs from one run to the next. */
const PASSING = "load";
const VERSIONS = "versions";

const CPU = "CPU";
const KERNEL = "Linux";
const NAMES: Readonly<Record<string, string>> = {
  cpu: CPU,
  memoryGb: "memory (GB)",
  arch: "architecture",
  transparentHugePages: "transparent huge pages",
};

/** A machine with its versions, and what was measured there. */
interface Setup {
  readonly facts: ReadonlyMap<string, string>;
  readonly results: Result[];
}

/** The section's text. */
export function describeSetups(results: readonly Result[]): string {
  const setups = findSetups(results);
  const names = [...new Set(setups.flatMap(({ facts }) => [...facts.keys()]))];
  const values = (name: string): string[] => setups.map(({ facts }) => facts.get(name) ?? "not told");
  const titles = setups.length === 1 ? [""] : setups.map((_, i) => `set-up ${i + 1}`);
  const facts = table(
    [{ head: "" }, ...titles.map((head) => ({ head }))],
    names.map((name) => [name, ...values(name)]),
  );
  const differing = names.filter((name) => new Set(values(name)).size > 1);
  return blocks(warning(differing, results), facts, missing(setups), runs(results, setups));
}

/** All set-ups in a sentence. */
export function describeBriefly(results: readonly Result[]): string {
  const setups = findSetups(results).map(({ facts, results: own }) => {
    const fact = (name: string): string => facts.get(name) ?? "not told";
    const dates = [...new Set(own.map(({ date }) => date))].toSorted().join(", ");
    return `${fact(CPU)}, ${fact("cores")} cores, Linux ${fact(KERNEL)}, Node ${fact("node")}, ${dates}`;
  });
  return `${setups.join("; ")}.`;
}

function findSetups(results: readonly Result[]): Setup[] {
  const setups: Setup[] = [];
  for (const result of results) {
    const facts = new Map(factsOf(result.machine));
    const known = setups.find((setup) => isDeepStrictEqual(setup.facts, facts));
    if (known === undefined) setups.push({ facts, results: [result] });
    else known.results.push(result);
  }
  return setups;
}

function factsOf(machine: Description): [string, string][] {
  return Object.entries(machine).flatMap(([name, value]): [string, string][] => {
    if (name === PASSING) return [];
    if (name === VERSIONS && typeof value === "object" && value !== null)
      return Object.entries(value).map(([program, version]) => [program, show(version)]);
    // What follows the number says whose kernel it is.
    if (name === "kernel") return [[KERNEL, show(value).replace(/-.*/, "")]];
    return [[NAMES[name] ?? name, show(value)]];
  });
}

function show(value: unknown): string {
  if (typeof value === "string") return escapeText(value);
  return Array.isArray(value) ? value.map(show).join(", ") : JSON.stringify(value);
}

function warning(differing: readonly string[], results: readonly Result[]): string | undefined {
  const dates = new Set(results.map(({ date }) => date));
  const all = dates.size > 1 ? [...differing, "date"] : differing;
  if (all.length === 0) return undefined;
  return `**Not everything was measured in one go:** the results differ in ${all.join(", ")}. Figures of different scenarios should not be held against each other.`;
}

function missing(setups: readonly Setup[]): string | undefined {
  const names = new Set<string>();
  for (const { facts } of setups)
    for (const [name, value] of facts) if (/^(?:unknown$|null$|not (?:installed|found))/.test(value)) names.add(name);
  return names.size === 0 ? undefined : `Not found on the machine, so not measured: ${[...names].join(", ")}.`;
}

function runs(results: readonly Result[], setups: readonly Setup[]): string {
  const several = setups.length > 1;
  const rows = results.map((result) => {
    const { scenario, date, machine, rows: measured } = result;
    const rounds = [...new Set(measured.map(({ samples }) => samples.length))].toSorted((a, b) => a - b);
    const load = machine[PASSING];
    return [
      `[${scenario}](#${scenario})`,
      date,
      rounds.join(", "),
      typeof load === "number" ? load.toFixed(2) : "not told",
      ...(several ? [String(setups.findIndex((setup) => setup.results.includes(result)) + 1)] : []),
    ];
  });
  return table(
    [
      { head: "scenario" },
      { head: "measured on" },
      { head: "rounds", right: true },
      { head: "load before", right: true },
      ...(several ? [{ head: "set-up", right: true }] : []),
    ],
    rows,
  );
}
