// One to n supervisor threads, beside a C program with as many threads.
import { availableParallelism } from "node:os";
import type { ContestantName } from "../contestants/registry.ts";
import { Floors, type FloorWay } from "../floors/floors.ts";
import { churn, effort, IN_FLIGHT, warmUp } from "./launches.ts";
import { Lineup } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

const GROUP = `static child, ${IN_FLIGHT} in flight`;
const NAMES: readonly ContestantName[] = ["sigchld", "pidpool"];
const FLOORS: readonly FloorWay[] = ["wait4", "files"];
const FLOOR_LAUNCHES_PER_MS = 12;

/** Up to one more than there are cores: 1, 2, 4, 8, … where there are many. */
function threadCounts(): readonly number[] {
  const most = availableParallelism() + 1;
  const counts: number[] = [];
  for (let count = 1; count < most; count = count < 4 ? count + 1 : count * 2) counts.push(count);
  return [...counts, most];
}

async function run(bench: Bench): Promise<Findings> {
  const table = new Table();
  const floors = await Floors.compile();
  const ways = floors.available(FLOORS);
  const lineup = new Lineup(bench, NAMES, "run");
  const measures: (() => Promise<void>)[] = [];
  const counts = threadCounts();
  for (const label of [...lineup.present, ...ways.present.map((way) => `C, ${way}`)])
    for (const x of counts) table.samples(GROUP, label, { x });
  for (const x of counts) {
    for (const participant of lineup.start({ PIDPOOL_THREADS: String(x) })) {
      const { name, runner } = participant;
      await warmUp(bench, runner);
      measures.push(() =>
        lineup.attempt(participant, async () => {
          const cost = await churn(runner, bench.children.nop, effort(bench, IN_FLIGHT));
          table.samples(GROUP, name, { x }).push(cost);
        }),
      );
    }
    for (const way of ways.present) {
      const launches = Math.round(bench.milliseconds * FLOOR_LAUNCHES_PER_MS);
      const how = { threads: x, inFlight: IN_FLIGHT, launches, program: bench.children.nop };
      measures.push(async () => void table.samples(GROUP, `C, ${way}`, { x }).push(await floors.churn(way, how)));
    }
  }
  await bench.interleave(measures);
  const gain = (label: string, x: number): string =>
    (table.median(GROUP, label, 1) / table.median(GROUP, label, x)).toFixed(2);
  const gains = counts
    .slice(1)
    .map((x) => `${x} threads: pidpool ${gain("pidpool", x)} x, C, files ${gain("C, files", x)} x as fast as one`);
  return {
    unit: "µs a child",
    axis: "supervisor threads",
    rows: table.measured,
    bars: [],
    notes: [...lineup.notes, ...ways.missing, ...gains, ...losses(table, "pidpool")],
  };
}

/** See the head of this file. */
export const threadsScenario: Scenario = {
  name: "threads",
  title: `supervisor threads, each with its launcher; ${GROUP}`,
  run,
};
