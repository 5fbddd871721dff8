// The cost of a whole lifecycle, from the call to the exit's report: of a child
// that costs next to nothing and of one that the dynamic loader starts, by how
// many are in flight. Contestants that only show how others compare are there
// at one point.
import { CONTESTANTS, type ContestantName } from "../contestants/registry.ts";
import { Floors, type FloorWay } from "../floors/floors.ts";
import { churn, effort, IN_FLIGHT, MAIN, MAIN_FLOORS, warmUp } from "./launches.ts";
import { Lineup } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bar, Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

const IN_FLIGHTS = [1, 8, IN_FLIGHT, 256];
const QUICK_IN_FLIGHTS = [1, IN_FLIGHT];
const FLOORS: readonly FloorWay[] = ["fork", "posix_spawn", "wait4", "pidfd", "files", "uring"];
/** pidpool's runner has two supervisor threads; so has the floor. */
const THREADS = 2;

async function run(bench: Bench): Promise<Findings> {
  // perMs: what a floor does in a millisecond, so that it runs for about as long as the others.
  const programs = [
    { group: "static child", file: bench.children.nop, perMs: 12, all: true },
    { group: "true, dynamically linked", file: "/bin/true", perMs: 3, all: false },
  ] as const;
  const inFlights = bench.quick ? QUICK_IN_FLIGHTS : IN_FLIGHTS;
  const table = new Table();
  const lineup = new Lineup(bench, Object.keys(CONTESTANTS) as ContestantName[], "run");
  const floors = await Floors.compile();
  const ways = floors.available(FLOORS);
  const measures: (() => Promise<void>)[] = [];
  const participants = lineup.start();
  for (const { runner } of participants) await warmUp(bench, runner);
  for (const { group, file, perMs, all } of programs) {
    for (const participant of participants) {
      const { name, runner } = participant;
      if (!all && !MAIN.has(name)) continue;
      for (const x of MAIN.has(name) ? inFlights : [IN_FLIGHT]) {
        const samples = table.samples(group, name, { x });
        measures.push(() =>
          lineup.attempt(participant, async () => {
            samples.push(await churn(runner, file, effort(bench, x)));
          }),
        );
      }
    }
    for (const way of ways.present) {
      if (!all && !MAIN_FLOORS.has(way)) continue;
      for (const x of MAIN_FLOORS.has(way) ? inFlights : [IN_FLIGHT]) {
        const samples = table.samples(group, `C, ${way}`, { x });
        const threads = Math.min(THREADS, x);
        const launches = Math.round((bench.milliseconds * perMs * threads) / THREADS);
        const how = { threads, inFlight: x, launches, program: file };
        measures.push(async () => void samples.push(await floors.churn(way, how)));
      }
    }
  }
  await bench.interleave(measures);
  const [{ group }] = programs;
  const times = (other: string): number => table.ratio(group, other, "pidpool", IN_FLIGHT);
  const what = `${group}, ${IN_FLIGHT} in flight`;
  const bars: Bar[] = [
    { what: `${what}: speed of C, files`, relation: "at least", limit: 0.85, unit: "x", value: times("C, files") },
    { what: `${what}: Bun.spawn / pidpool`, relation: "at least", limit: 2, unit: "x", value: times("Bun.spawn") },
    {
      what: `${what}: child_process, newest Node / pidpool`,
      relation: "at least",
      limit: 10,
      unit: "x",
      value: times("child_process, newest Node"),
    },
  ];
  const notes = [
    ...lineup.notes,
    ...ways.missing,
    `${what}: pidpool reaches ${times("C, wait4").toFixed(2)} of the speed of plain vfork and wait4 in C, which knows no pidfds; in C, pidfds cost ${table.ratio(group, "C, files", "C, wait4", IN_FLIGHT).toFixed(2)} times as much as wait4 does`,
    ...losses(table, "pidpool"),
  ];
  return { unit: "µs a child", axis: "children in flight", rows: table.measured, bars, notes };
}

/** See the head of this file. */
export const churnScenario: Scenario = {
  name: "churn",
  title: "a whole lifecycle, output ignored, no isolation, two supervisor threads",
  run,
};
