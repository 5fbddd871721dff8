// Runs scenarios: gives them contestants and rounds, and ends whatever they
// have started.
import { compileChildren, type Children } from "./children.ts";
import type { ContestantName } from "./contestants/registry.ts";
import { Runner } from "./runner/runner.ts";
import type { Bench, Findings, Scenario } from "./scenarios/scenario.ts";

/** How long and how often. */
export interface Effort {
  readonly rounds: number;
  readonly milliseconds: number;
  readonly quick: boolean;
}

/** One run of the benchmark. */
export class Harness {
  readonly #effort: Effort;
  readonly #children: Children = compileChildren();

  constructor(effort: Effort) {
    this.#effort = effort;
  }

  /** Runs a scenario; nothing of it is left afterwards. */
  async run(scenario: Scenario): Promise<Findings> {
    const runners: Runner[] = [];
    const bench: Bench = {
      ...this.#effort,
      children: this.#children,
      start: (name: ContestantName, env, user) => {
        const runner = new Runner(name, env, user);
        runners.push(runner);
        return runner;
      },
      interleave: (measures, rounds = this.#effort.rounds) => interleave(scenario.name, measures, rounds),
    };
    try {
      return await scenario.run(bench);
    } finally {
      await Promise.all(runners.map((runner) => runner.close()));
    }
  }
}

async function interleave(name: string, measures: readonly (() => Promise<void>)[], rounds: number): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    showProgress(`${name}: round ${round} of ${rounds}`);
    for (const measure of shuffled(measures)) await measure();
  }
  showProgress("");
}

/** Fisher and Yates'. What disturbs a part of a round must not always hit the same contestant. */
function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/** A line that the next one overwrites; none where nobody watches. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
