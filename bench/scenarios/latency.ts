// Single launches, one at a time, each timed by itself from the call to the
// exit's report.
import { CONTESTANTS, type ContestantName } from "../contestants/registry.ts";
import { Floors, type FloorWay } from "../floors/floors.ts";
import { effort, MAIN, MAIN_FLOORS } from "./launches.ts";
import { Lineup } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bar, Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

const FLOORS: readonly FloorWay[] = ["fork", "posix_spawn", "wait4", "pidfd", "files", "uring"];
/** A p99 of fewer says nothing. */
const LEAST = 200;
const FLOOR_LAUNCHES_PER_MS = 5;
const BAR_FLOOR = 1.6;

async function run(bench: Bench): Promise<Findings> {
  const programs = [
    { name: "static child", file: bench.children.nop, all: true },
    { name: "true, dynamically linked", file: "/bin/true", all: false },
  ] as const;
  const table = new Table();
  const lineup = new Lineup(bench, Object.keys(CONTESTANTS) as ContestantName[], "run");
  const floors = await Floors.compile();
  const ways = floors.available(FLOORS);
  const participants = lineup.start();
  const measures: (() => Promise<void>)[] = [];
  for (const figure of ["median", "p99"])
    for (const program of programs)
      for (const label of [...lineup.present, ...ways.present.map((way) => `C, ${way}`)])
        table.samples(`${program.name}, ${figure}`, label);
  const add = (program: string, label: string, p50: number, p99: number): void => {
    table.samples(`${program}, median`, label).push(p50);
    table.samples(`${program}, p99`, label).push(p99);
  };
  const { milliseconds, most } = effort(bench, 1);
  for (const { name, file, all } of programs) {
    for (const participant of participants) {
      const { runner } = participant;
      if (!all && !MAIN.has(participant.name)) continue;
      // Code is compiled, threads are started.
      await lineup.attempt(participant, async () => {
        await runner.ask("latency", { file, milliseconds: milliseconds / 2, least: LEAST / 2, most });
      });
      measures.push(() =>
        lineup.attempt(participant, async () => {
          const { p50, p99 } = await runner.ask("latency", { file, milliseconds, least: LEAST, most });
          add(name, participant.name, p50, p99);
        }),
      );
    }
    for (const way of ways.present) {
      if (!all && !MAIN_FLOORS.has(way)) continue;
      measures.push(async () => {
        const { p50, p99 } = await floors.latency(way, milliseconds * FLOOR_LAUNCHES_PER_MS, file);
        add(name, `C, ${way}`, p50, p99);
      });
    }
  }
  await bench.interleave(measures);
  const group = `${programs[0].name}, median`;
  const bar = (other: string, limit: number): Bar => {
    const value = table.ratio(group, "pidpool", other);
    return { what: `${group}: pidpool / ${other}`, relation: "at most", limit, unit: "x", value };
  };
  return {
    unit: "µs",
    rows: table.measured,
    bars: [bar("C, files", BAR_FLOOR), bar("Bun.spawn", 1)],
    notes: [
      ...lineup.notes,
      ...ways.missing,
      `${group}: pidpool needs ${table.ratio(group, "pidpool", "C, wait4").toFixed(2)} times what plain vfork and wait4 in C do, which hand nothing from thread to thread`,
      ...losses(table, "pidpool"),
    ],
  };
}

/** See the head of this file. */
export const latencyScenario: Scenario = {
  name: "latency",
  title: "a single launch, one in flight, output ignored: from the call to the exit's report",
  run,
};
