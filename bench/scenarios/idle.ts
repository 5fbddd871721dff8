// The cost of a launch beside many children that live on: one at a time, where
// whatever looks at all children does so for each exit, and many at once, where
// it does so for several. Each round measures without and with the idle ones,
// in the same process; every other round the other way round, as whatever comes
// second finds everything warm.
import type { ContestantName } from "../contestants/registry.ts";
import { roomForChildren } from "../limits.ts";
import type { Runner } from "../runner/runner.ts";
import { median } from "../stats.ts";
import { churn, IN_FLIGHT } from "./churn.ts";
import type { Bar, Bench, Findings, Scenario } from "./scenario.ts";

/** child_process takes fewer: it needs a while to start and end them. */
const WANTED: Readonly<Partial<Record<ContestantName, number>>> = { child_process: 2000, pidpool: 5000 };
const BAR = 1.3;

/** Costs with so many in flight. */
interface Series {
  readonly inFlight: number;
  readonly none: number[];
  readonly many: number[];
}

async function measurePair(
  bench: Bench,
  runner: Runner,
  count: number,
  series: readonly Series[],
  noneFirst: boolean,
): Promise<void> {
  const measure = async (which: "none" | "many"): Promise<void> => {
    for (const one of series) one[which].push(await churn(bench, runner, bench.milliseconds, one.inFlight));
  };
  if (noneFirst) await measure("none");
  await runner.ask("fill", { file: bench.children.pause, count });
  await measure("many");
  await runner.ask("drain", {});
  if (!noneFirst) await measure("none");
}

async function run(bench: Bench): Promise<Findings> {
  const { room, limitedBy } = roomForChildren();
  const notes: string[] = [];
  const measures: (() => Promise<void>)[] = [];
  const all: { name: ContestantName; count: number; series: Series }[] = [];
  for (const [name, wanted] of Object.entries(WANTED) as [ContestantName, number][]) {
    const count = Math.min(wanted, room);
    if (count < wanted) notes.push(`${name}: ${count} idle children instead of ${wanted}, for ${limitedBy}`);
    const runner = bench.start(name);
    const series = [1, IN_FLIGHT].map((inFlight): Series => ({ inFlight, none: [], many: [] }));
    for (const { inFlight } of series) await churn(bench, runner, bench.milliseconds / 2, inFlight);
    all.push(...series.map((one) => ({ name, count, series: one })));
    let round = 0;
    measures.push(() => measurePair(bench, runner, count, series, round++ % 2 === 0));
  }
  await bench.interleave(measures);
  const rows = all.flatMap(({ name, count, series }) => [
    { group: `${name}, ${series.inFlight} in flight`, label: "none alive", samples: series.none },
    { group: `${name}, ${series.inFlight} in flight`, label: `${count} alive`, samples: series.many },
  ]);
  const bars: Bar[] = [];
  for (const { name, count, series } of all) {
    const value = median(series.many) / median(series.none);
    const what = `${name}, ${series.inFlight} in flight: ${count} alive / none`;
    if (name === "pidpool") bars.push({ what, relation: "at most", limit: BAR, unit: "x", value });
    else notes.push(`${what}: ${value.toFixed(2)} x`);
  }
  return { unit: "µs a child", rows, bars, notes };
}

/** See the head of this file. */
export const idleScenario: Scenario = {
  name: "idle",
  title: "the churn beside children that only live",
  run,
};
