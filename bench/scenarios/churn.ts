// The cost of a whole lifecycle, from the call to the exit's report, with many
// in flight; beside a small heap and a large one, whose page tables a fork copies.
import { freemem } from "node:os";
import type { ContestantName } from "../contestants/registry.ts";
import type { Runner } from "../runner/runner.ts";
import { median } from "../stats.ts";
import type { Bar, Bench, Findings, Row, Scenario } from "./scenario.ts";

/** Children at a time. */
export const IN_FLIGHT = 64;
/** Contestants that need longer for these than a round lasts take longer. */
export const LEAST: number = 2 * IN_FLIGHT;

const NAMES: readonly ContestantName[] = ["child_process", "pidpool"];
const HEAPS = [
  { group: "empty heap", megabytes: 0, bar: 10 },
  { group: "1 GB heap", megabytes: 1024, bar: 200 },
] as const;
/** All runners live at once; beside the heaps they need something for themselves. */
const HEADROOM = 1.5;

/** Launches for one measurement; µs a child. */
export async function churn(bench: Bench, runner: Runner, milliseconds: number = bench.milliseconds): Promise<number> {
  const { nop } = bench.children;
  const answer = await runner.ask("churn", { file: nop, inFlight: IN_FLIGHT, milliseconds, least: LEAST, delay: false });
  return (answer.milliseconds * 1000) / answer.launches;
}

async function run(bench: Bench): Promise<Findings> {
  const rows: Row[] = [];
  const verdicts: (() => Bar)[] = [];
  const notes: string[] = [];
  const measures: (() => Promise<void>)[] = [];
  for (const { group, megabytes, bar } of HEAPS) {
    const samples: Record<ContestantName, number[]> = { pidpool: [], child_process: [] };
    if (megabytes * NAMES.length * HEADROOM * 1024 * 1024 > freemem()) {
      notes.push(`${group}: not measured, too little free memory`);
    } else {
      for (const name of NAMES) {
        const runner = bench.start(name);
        if (megabytes > 0) {
          const { rssMegabytes } = await runner.ask("heap", { megabytes });
          notes.push(`${group}: ${name} has ${rssMegabytes} MB resident`);
        }
        await churn(bench, runner, bench.milliseconds / 2);
        measures.push(async () => void samples[name].push(await churn(bench, runner)));
        rows.push({ group, label: name, samples: samples[name] });
      }
    }
    verdicts.push(() => ({
      what: `${group}: child_process / pidpool`,
      relation: "at least",
      limit: bar,
      unit: "x",
      value: median(samples.child_process) / median(samples.pidpool),
    }));
  }
  await bench.interleave(measures);
  return { unit: "µs a child", rows, bars: verdicts.map((verdict) => verdict()), notes };
}

/** See the head of this file. */
export const churnScenario: Scenario = {
  name: "churn",
  title: `a child that exits at once, ${IN_FLIGHT} in flight, output ignored, no isolation, two supervisor threads`,
  run,
};
