// Runs properties with seeds, and says how to run a failure again:
//   FUZZ_SEED, FUZZ_PATH  that run
//   FUZZ_ONLY             a part of the names of properties
//   FUZZ_RUNS             runs of each property
//   FUZZ_SECONDS          instead, for how long each property is run, with new seeds
// Without them: two fixed seeds, so that a change is judged by what it changes.
import { test } from "node:test";
import * as fc from "fast-check";

const { FUZZ_SEED, FUZZ_PATH, FUZZ_ONLY, FUZZ_RUNS, FUZZ_SECONDS } = process.env;
const FIXED_SEEDS = [20_260_417, 1_959_837_218];

/** For how many runs a test is good. */
export interface Amount {
  /** Runs of each of the two seeds under `npm test`. */
  readonly runs: number;
  /** Each starts processes: a failure is not made smaller. */
  readonly starts?: boolean | undefined;
  readonly skip?: string | false | undefined;
}

/** A test of a property that holds for all values. */
export function property<T>(
  name: string,
  values: fc.Arbitrary<T>,
  { runs, starts = false, skip = false }: Amount,
  holds: (value: T) => Promise<void> | void,
): void {
  if (FUZZ_ONLY !== undefined && !name.includes(FUZZ_ONLY)) return;
  test(name, { skip, timeout: FUZZ_SECONDS === undefined ? 120_000 : 600_000 }, async (t) => {
    const checked = fc.asyncProperty(values, async (value) => holds(value));
    const numRuns = FUZZ_RUNS === undefined ? runs : Number(FUZZ_RUNS);
    let total = 0;
    const seeds: number[] = [];
    const until = performance.now() + Number(FUZZ_SECONDS ?? 0) * 1000;
    for (const seed of seedsUntil(until)) {
      const path = FUZZ_PATH === undefined ? {} : { path: FUZZ_PATH };
      const details = await fc.check(checked, { seed, numRuns, endOnFailure: starts, ...path });
      total += details.numRuns;
      seeds.push(seed);
      if (!details.failed) continue;
      const again = `FUZZ_ONLY=${JSON.stringify(name)} FUZZ_SEED=${seed} FUZZ_PATH=${details.counterexamplePath ?? ""} npm test -- fuzz/`;
      const why = details.errorInstance;
      const text = why instanceof Error ? why.stack : String(why);
      throw new Error(`${await fc.asyncDefaultReportMessage(details)}\n${text}\nThe same again: ${again}`);
    }
    t.diagnostic(
      `${total} runs, seeds ${seeds.length > 4 ? `${seeds.slice(0, 3).join(" ")} … (${seeds.length})` : seeds.join(" ")}`,
    );
  });
}

function* seedsUntil(end: number): Generator<number> {
  if (FUZZ_SEED !== undefined) {
    yield Number(FUZZ_SEED);
    return;
  }
  yield* FIXED_SEEDS;
  while (performance.now() < end) yield Math.floor(Math.random() * 2 ** 31);
}
