// A scenario's findings with what goes with them, as bench/results/ keeps them:
// one JSON file a scenario. Median, spread and verdicts in the file are for its
// readers; here they are worked out anew, from the samples and the values.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bar, Findings, Row } from "../scenarios/scenario.ts";

/** What a scenario found, where and when. */
export interface Result extends Findings {
  readonly scenario: string;
  readonly title: string;
  readonly date: string;
  /** See machine.ts; older files may lack what newer ones have. */
  readonly machine: Description;
}

/** Facts by name. */
export type Description = Readonly<Record<string, unknown>>;

/** All results in a directory, in the order of their names. */
export function readResults(directory: string): Result[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .map((name) => {
      try {
        return parseResult(readFileSync(join(directory, name), "utf8"));
      } catch (error) {
        throw new Error(`${name} is no result of the benchmark: ${(error as Error).message}`, { cause: error });
      }
    });
}

/** Checks and takes what a file holds. */
export function parseResult(text: string): Result {
  const saved = record(JSON.parse(text), "the file");
  const { axis } = saved;
  return {
    scenario: string(saved["scenario"], "scenario"),
    title: string(saved["title"], "title"),
    date: string(saved["date"], "date"),
    machine: record(saved["machine"], "machine"),
    unit: string(saved["unit"], "unit"),
    ...(axis === undefined ? {} : { axis: string(axis, "axis") }),
    rows: list(saved["rows"], "rows", row),
    bars: list(saved["bars"], "bars", bar),
    notes: list(saved["notes"], "notes", string),
  };
}

function row(value: unknown, what: string): Row {
  const { group, label, x, unit, better, samples } = record(value, what);
  if (better !== undefined && better !== "lower" && better !== "higher" && better !== "neither")
    throw new TypeError(`${what}.better is none of "lower", "higher" and "neither"`);
  return {
    group: string(group, `${what}.group`),
    label: string(label, `${what}.label`),
    ...(x === undefined ? {} : { x: number(x, `${what}.x`) }),
    ...(unit === undefined ? {} : { unit: string(unit, `${what}.unit`) }),
    ...(better === undefined ? {} : { better }),
    samples: list(samples, `${what}.samples`, number).filter((sample) => Number.isFinite(sample)),
  };
}

function bar(value: unknown, what: string): Bar {
  const saved = record(value, what);
  const { relation } = saved;
  if (relation !== "at least" && relation !== "at most")
    throw new TypeError(`${what}.relation is neither "at least" nor "at most"`);
  return {
    what: string(saved["what"], `${what}.what`),
    relation,
    limit: number(saved["limit"], `${what}.limit`),
    unit: string(saved["unit"], `${what}.unit`),
    value: number(saved["value"], `${what}.value`),
  };
}

function record(value: unknown, what: string): Description {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError(`${what} is no object`);
  return value as Description;
}

function string(value: unknown, what: string): string {
  if (typeof value !== "string") throw new TypeError(`${what} is no string`);
  return value;
}

/** JSON has no NaN: it is written as null. */
function number(value: unknown, what: string): number {
  if (value === null) return NaN;
  if (typeof value !== "number") throw new TypeError(`${what} is no number`);
  return value;
}

function list<T>(value: unknown, what: string, take: (item: unknown, what: string) => T): T[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} is no list`);
  return value.map((item: unknown, i) => take(item, `${what}[${i}]`));
}
