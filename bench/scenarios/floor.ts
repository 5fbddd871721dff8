// How far pidpool is from what a C program pays that does nothing but launch
// and reap: the kernel's own cost of a lifecycle.
import { Floors, type FloorWay } from "../floors/floors.ts";
import { median } from "../stats.ts";
import { churn, IN_FLIGHT } from "./churn.ts";
import type { Bench, Findings, Row, Scenario } from "./scenario.ts";

const WAYS: readonly FloorWay[] = ["wait4", "posix_spawn", "pidfd", "files", "uring"];
/** pidpool's runner has two supervisor threads; so has the floor. */
const THREADS = 2;
/** A child takes the floor some 50 to 100 µs. */
const LAUNCHES_PER_MS = 15;

async function run(bench: Bench): Promise<Findings> {
  const floors = await Floors.compile();
  const { present, missing } = floors.available(WAYS);
  const runner = bench.start("pidpool");
  const rows: Row[] = [];
  const measures: (() => Promise<void>)[] = [];
  const notes: string[] = [...missing];
  const add = (group: string, label: string, measure: () => Promise<number>): void => {
    const samples: number[] = [];
    rows.push({ group, label, samples });
    measures.push(async () => void samples.push(await measure()));
  };
  for (const inFlight of [IN_FLIGHT, 1]) {
    const group = `${inFlight} in flight`;
    const threads = Math.min(THREADS, inFlight);
    const launches = Math.round((bench.milliseconds * LAUNCHES_PER_MS * threads) / THREADS);
    for (const way of present) {
      add(group, `C, ${way}`, () => floors.churn(way, { threads, inFlight, launches, program: bench.children.nop }));
    }
    add(group, "pidpool", () => churn(bench, runner, bench.milliseconds, inFlight));
  }
  await churn(bench, runner, bench.milliseconds / 2);
  await bench.interleave(measures);
  for (const inFlight of [IN_FLIGHT, 1]) {
    const group = `${inFlight} in flight`;
    const cost = (wanted: string): number =>
      median(rows.find((row) => row.group === group && row.label === wanted)?.samples ?? []);
    const ratio = cost("C, files") / cost("pidpool");
    notes.push(
      `${group}: pidpool reaches ${ratio.toFixed(2)} of the speed of C with the same kernel features ("files"), ${(cost("C, wait4") / cost("pidpool")).toFixed(2)} of plain vfork and wait4`,
    );
  }
  return { unit: "µs a child", rows, bars: [], notes };
}

/** See the head of this file. */
export const floorScenario: Scenario = {
  name: "floor",
  title: "a child that exits at once, output ignored, beside C programs that only launch and reap (two threads each)",
  run,
};
