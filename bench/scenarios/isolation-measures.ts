// How the scenario "isolation" measures: what fails becomes a note, and nobody
// pays for the namespaces that somebody else has left behind.
import type { Floors } from "../floors/floors.ts";
import type { Runner } from "../runner/runner.ts";
import { churn, effort, IN_FLIGHT, warmUp } from "./launches.ts";
import type { Launcher, Level } from "./levels.ts";
import type { Bench } from "./scenario.ts";
import { Table } from "./table.ts";

/** pidpool's runner has two supervisor threads; so has the floor. */
const THREADS = 2;
/** What the C program does in a millisecond, so that it runs for about as long as the others. */
const PER_MS = { plain: 8, network: 1.5, wrapped: 0.3 } as const;

/** Rows of a group: whose they are, and where a wrapper isolates the children, its program with arguments. */
export interface Contender {
  readonly label: string;
  readonly wrapper?: readonly string[];
}

/** Measures that are to be taken, with what comes of them. */
export class IsolationMeasures {
  readonly table: Table = new Table();
  readonly all: (() => Promise<void>)[] = [];
  readonly notes: string[] = [];
  /** For how many milliseconds the kernel was still busy with what pidpool's own children had left. */
  readonly settled: number[] = [];
  readonly #bench: Bench;
  readonly #floors: Floors;
  readonly #failed = new Set<string>();

  constructor(bench: Bench, floors: Floors) {
    this.#bench = bench;
    this.#floors = floors;
  }

  /** A pool that isolates, or whose children are wrapped. */
  async addPool({ user, suffix }: Launcher, level: Level, { label, wrapper }: Contender): Promise<void> {
    const group = level.name + suffix;
    const env: Record<string, string> =
      wrapper === undefined
        ? { PIDPOOL_ISOLATION: JSON.stringify(level.isolation) }
        : { PIDPOOL_WRAPPER: JSON.stringify(wrapper) };
    const runner = this.#bench.start("pidpool", env, user);
    const ready = await this.#attempt(group, label, () => warmUp(this.#bench, runner));
    if (!ready) return runner.close();
    await this.#settle(level);
    this.#add(group, label, level, wrapper === undefined, () => this.#churn(runner));
  }

  /** The C program, isolating or wrapping. */
  addFloor({ user, suffix, privileged }: Launcher, level: Level, { label, wrapper }: Contender): void {
    const { milliseconds, children } = this.#bench;
    const { floor, ordinaryFloor = floor, network } = level;
    const isolating = privileged ? floor : ordinaryFloor;
    const way = wrapper === undefined ? isolating : "files";
    const pace = wrapper === undefined ? (network === true ? PER_MS.network : PER_MS.plain) : PER_MS.wrapped;
    const launches = Math.max(THREADS * IN_FLIGHT, Math.round(milliseconds * pace));
    const [program, ...args] = [...(wrapper ?? []), children.nop];
    const order = { threads: THREADS, inFlight: IN_FLIGHT, launches, program, args, user };
    this.#add(level.name + suffix, label, level, false, () => this.#floors.churn(way, order));
  }

  #churn(runner: Runner): Promise<number> {
    return churn(runner, this.#bench.children.nop, effort(this.#bench, IN_FLIGHT));
  }

  #add(group: string, label: string, level: Level, pool: boolean, measure: () => Promise<number>): void {
    const samples = this.table.samples(group, label);
    this.all.push(async () => {
      const taken = await this.#attempt(group, label, async () => void samples.push(await measure()));
      const milliseconds = taken ? await this.#settle(level) : undefined;
      if (pool && milliseconds !== undefined) this.settled.push(milliseconds);
    });
  }

  /** False, with a note, where it fails or has failed before. */
  async #attempt(group: string, label: string, measure: () => Promise<void>): Promise<boolean> {
    const key = `${group}: ${label}`;
    if (this.#failed.has(key)) return false;
    try {
      await measure();
      return true;
    } catch (error) {
      this.#failed.add(key);
      this.notes.push(`${key} not measured: ${withoutStack(error as Error)}`);
      return false;
    }
  }

  async #settle({ network }: Level): Promise<number | undefined> {
    if (network !== true) return undefined;
    let milliseconds: number | undefined;
    await this.#attempt("network namespaces", "their removal", async () => {
      milliseconds = await this.#floors.settle();
    });
    return milliseconds;
  }
}

/** A runner sends its error as the stack, which has paths of this machine. */
function withoutStack({ message }: Error): string {
  const lines = message.split("\n");
  const stack = lines.findIndex((line) => /^\s+at /.test(line));
  return lines.slice(0, stack < 0 ? 2 : Math.min(stack, 2)).join(" ");
}
