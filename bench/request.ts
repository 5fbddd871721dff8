// What the command line asks for.
import { parseArgs } from "node:util";
import type { Effort } from "./harness.ts";
import { SCENARIOS } from "./scenarios/all.ts";
import type { Scenario } from "./scenarios/scenario.ts";

const FULL: Effort = { rounds: 5, milliseconds: 500, quick: false };
const QUICK: Effort = { rounds: 2, milliseconds: 200, quick: true };
const USAGE = `npm run bench -- [${SCENARIOS.map(({ name }) => name).join(" | ")}]... [--quick] [--rounds N] [--save]
  --quick   fewer and shorter rounds, no large sizes
  --rounds  how many, instead of what is usual; scenarios that take long make fewer
  --save    write bench/results/<scenario>.json`;

/** One run of the benchmark. */
export interface Request {
  readonly scenarios: readonly Scenario[];
  readonly effort: Effort;
  readonly save: boolean;
}

/** Ends the process where the arguments make no sense. */
export function readRequest(): Request {
  const options = {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    save: { type: "boolean", default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((wanted) => !SCENARIOS.some(({ name }) => name === wanted));
    if (unknown !== undefined) throw new Error(`there is no scenario "${unknown}"`);
    const usual = values.quick ? QUICK : FULL;
    const rounds = Number(values.rounds ?? usual.rounds);
    if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a number from 1 on");
    return {
      scenarios: SCENARIOS.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
      effort: { ...usual, rounds },
      save: values.save,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
