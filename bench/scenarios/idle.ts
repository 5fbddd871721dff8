// The cost of a launch beside many children that live on. Each round measures
// without and with them, in the same process.
import type { ContestantName } from "../contestants/registry.ts";
import { roomForChildren } from "../limits.ts";
import type { Runner } from "../runner/runner.ts";
import { median } from "../stats.ts";
import { churn } from "./churn.ts";
import type { Bench, Findings, Row, Scenario } from "./scenario.ts";

/** child_process takes fewer: it needs a while to start and end them. */
const WANTED: Readonly<Record<ContestantName, number>> = { child_process: 1000, pidpool: 5000 };
const BAR = 1.3;

async function run(bench: Bench): Promise<Findings> {
  const { room, limitedBy } = roomForChildren();
  const rows: Row[] = [];
  const notes: string[] = [];
  const measures: (() => Promise<void>)[] = [];
  const cost = new Map<string, { none: number[]; many: number[] }>();
  for (const [name, wanted] of Object.entries(WANTED) as [ContestantName, number][]) {
    const count = Math.min(wanted, room);
    if (count < wanted) notes.push(`${name}: ${count} idle children instead of ${wanted}, for ${limitedBy}`);
    const runner = bench.start(name);
    const samples = { none: [] as number[], many: [] as number[] };
    cost.set(name, samples);
    rows.push({ group: name, label: "none alive", samples: samples.none });
    rows.push({ group: name, label: `${count} alive`, samples: samples.many });
    const measure = (): Promise<void> => measurePair(bench, runner, count, samples);
    await measure();
    samples.none.length = samples.many.length = 0;
    measures.push(measure);
  }
  await bench.interleave(measures);
  const ratio = (name: ContestantName): number => median(cost.get(name)?.many ?? []) / median(cost.get(name)?.none ?? []);
  notes.push(`child_process: ${ratio("child_process").toFixed(2)} times the cost`);
  return {
    unit: "µs a child",
    rows,
    bars: [{ what: "pidpool: with many alive / with none", relation: "at most", limit: BAR, unit: "x", value: ratio("pidpool") }],
    notes,
  };
}

async function measurePair(bench: Bench, runner: Runner, count: number, samples: { none: number[]; many: number[] }): Promise<void> {
  samples.none.push(await churn(bench, runner));
  await runner.ask("fill", { file: bench.children.pause, count });
  samples.many.push(await churn(bench, runner));
  await runner.ask("drain", {});
}

/** See the head of this file. */
export const idleScenario: Scenario = {
  name: "idle",
  title: "the churn beside children that only live",
  run,
};
