// What a scenario is given, and what it finds.
import type { Children } from "../children.ts";
import type { ContestantName } from "../contestants/registry.ts";
import type { Runner } from "../runner/runner.ts";
import type { User } from "../user.ts";

/** One question, with the rounds that answer it. */
export interface Scenario {
  readonly name: string;
  /** What is measured, in a line. */
  readonly title: string;
  run(bench: Bench): Promise<Findings>;
}

/** What the harness does for scenarios. */
export interface Bench {
  readonly children: Children;
  readonly rounds: number;
  /** Length of one measurement in milliseconds. */
  readonly milliseconds: number;
  /** Whether sizes, too, are to be smaller than those that count. */
  readonly quick: boolean;
  /** Starts a contestant's process, as somebody else if told so; the harness ends it after the scenario. */
  start(name: ContestantName, env?: Readonly<Record<string, string>>, user?: User): Runner;
  /** Takes all measures in every round, each time in another order. `rounds` instead of the usual number. */
  interleave(measures: readonly (() => Promise<void>)[], rounds?: number): Promise<void>;
}

/** Costs are better when they are lower, rates when they are higher; some figures only tell what happened. */
export type Better = "lower" | "higher" | "neither";

/** The figures of a scenario. */
export interface Findings {
  /** Of all rows that have none of their own. */
  readonly unit: string;
  /** What {@link Row.x} counts, where the rows have one. */
  readonly axis?: string;
  readonly rows: readonly Row[];
  readonly bars: readonly Bar[];
  /** What a reader has to know about this run. */
  readonly notes: readonly string[];
}

/** One figure, measured in every round. */
export interface Row {
  readonly group: string;
  /** The contestant, or what of it was measured. */
  readonly label: string;
  /** Where the row lies on the scenario's axis: rows of one group and label then are a curve. */
  readonly x?: number;
  /** Where it is not that of the findings; the same for all rows of a group. */
  readonly unit?: string;
  /** Where the unit does not tell; see {@link betterOf}. The same for all rows of a group. */
  readonly better?: Better;
  readonly samples: readonly number[];
}

/** A promise that the figures have to keep. */
export interface Bar {
  readonly what: string;
  readonly relation: "at least" | "at most";
  readonly limit: number;
  readonly unit: string;
  /** NaN where it could not be measured. */
  readonly value: number;
}

/** Which figures are the good ones: of a rate the high ones, else the low ones. */
export function betterOf(unit: string): Better {
  return /\/s$| a second$/.test(unit) ? "higher" : "lower";
}

/** Whether a bar is met; undefined where it could not be measured. */
export function isMet({ relation, limit, value }: Bar): boolean | undefined {
  if (Number.isNaN(value)) return undefined;
  return relation === "at least" ? value >= limit : value <= limit;
}
