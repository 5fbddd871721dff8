// Who takes part in a scenario. Nobody is left out silently: who is not there,
// cannot take part, or fails on the way is named in the notes.
import type { Method } from "../contestants/contestant.ts";
import { available, type ContestantName } from "../contestants/registry.ts";
import type { Runner } from "../runner/runner.ts";
import type { Bench } from "./scenario.ts";

/** A contestant and its process. */
export interface Participant {
  readonly name: ContestantName;
  readonly runner: Runner;
}

/** The contestants of a scenario. */
export class Lineup {
  readonly present: readonly ContestantName[];
  readonly notes: string[];
  readonly #bench: Bench;
  readonly #out = new Set<Runner>();

  constructor(bench: Bench, names: readonly ContestantName[], ...needs: readonly Method[]) {
    const { present, missing } = available(names, ...needs);
    this.#bench = bench;
    this.present = present;
    this.notes = [...missing];
  }

  /** Starts the processes of all who are present. */
  start(env?: Readonly<Record<string, string>>): readonly Participant[] {
    return this.present.map((name) => ({ name, runner: this.#bench.start(name, env) }));
  }

  /** Takes a measure; after the first one that fails, the participant is out. */
  async attempt({ name, runner }: Participant, measure: () => Promise<void>): Promise<void> {
    if (this.#out.has(runner)) return;
    try {
      await measure();
    } catch (error) {
      this.#out.add(runner);
      this.notes.push(`${name} dropped out: ${(error as Error).message.split("\n", 2).join(" ")}`);
      await runner.close();
    }
  }
}

/** Ends these processes. */
export async function closeAll(participants: readonly Participant[]): Promise<void> {
  await Promise.all(participants.map(({ runner }) => runner.close()));
}
