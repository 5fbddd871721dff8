// Many children that end at the same moment: how long until the last exit was
// reported, what that costs the threads that reap and the whole process, how
// many exits come together, and how long the main thread stands still. The
// children themselves keep all cores busy as they end, so this process, which
// does nothing meanwhile, tells how late an event loop is for that alone.
import type { ContestantName } from "../contestants/registry.ts";
import { DelayProbe } from "../delay.ts";
import { Floors, type StormWay } from "../floors/floors.ts";
import { roomForChildren } from "../limits.ts";
import { Lineup, type Participant } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bar, Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

/** One of each way to learn of exits; the newest Node's is that of any. */
const NAMES: readonly ContestantName[] = ["child_process", "Bun.spawn", "Deno.Command", "sigchld", "pidpool"];
const COUNTS = [1000, 4000, 10_000];
const QUICK_COUNTS = [1000];
const FLOORS: readonly StormWay[] = ["wait4", "sigchld", "pidfd"];
const ROUNDS = 3;
/** Starting the children takes a contestant no longer than this. */
const PATIENCE_MS = 20_000;
/** Every child has come to its read by then. */
const SETTLE_MS = 200;
const BAR_CPU = 1.3;
const BAR_BLOCK_MS = 5;

const LAST = { group: "release to last report", unit: "ms" } as const;
const REAPER = { group: "CPU of the reaping threads an exit", unit: "µs" } as const;
const PROCESS = { group: "CPU of the whole process an exit", unit: "µs" } as const;
const WORK = { group: "longest work of the main thread in one turn of its event loop", unit: "ms of CPU" } as const;
const BLOCK = { group: "longest delay of the main thread's event loop", unit: "ms" } as const;
const BYSTANDER = {
  group: "longest delay of another, idle process's event loop",
  unit: "ms",
  better: "neither",
} as const;
const BATCH = { group: "exits reported in a turn of the event loop, mean", unit: "exits", better: "neither" } as const;
const LARGEST = {
  group: "exits reported in a turn of the event loop, most",
  unit: "exits",
  better: "neither",
} as const;

/** Where less is not better. */
const NEUTRAL: ReadonlySet<string> = new Set([BATCH.group, LARGEST.group, BYSTANDER.group]);

type Figure = { readonly group: string; readonly unit: string };

/** Returns a note if it cannot be measured. */
async function measure(
  bench: Bench,
  table: Table,
  { name, runner }: Participant,
  count: number,
): Promise<string | undefined> {
  const held = await runner.ask("hold", { file: bench.children.hold, count, most: PATIENCE_MS });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const probe = new DelayProbe();
  const { milliseconds, cpu, turns, largest, longest, delay } = await runner.ask("release", {});
  const bystander = probe.stop();
  if (held.launches < count)
    return `${name}: ${count} children not measured, after ${PATIENCE_MS / 1000} s it had started ${held.launches}`;
  const add = ({ group, unit }: Figure, value: number): void => {
    table.samples(group, name, { x: count, unit }).push(value);
  };
  add(LAST, milliseconds);
  add(REAPER, cpu.reaper / count);
  add(PROCESS, cpu.process / count);
  add(WORK, longest);
  if (delay !== null) add(BLOCK, delay.max);
  add(BYSTANDER, bystander.max);
  add(BATCH, count / turns);
  add(LARGEST, largest);
  return undefined;
}

async function measureFloor(bench: Bench, table: Table, floors: Floors, way: StormWay, x: number): Promise<void> {
  const storm = await floors.storm(way, x, bench.children.hold);
  const add = ({ group, unit }: Figure, value: number): void => {
    table.samples(group, `C, ${way}`, { x, unit }).push(value);
  };
  add(LAST, storm.milliseconds);
  add(REAPER, storm.cpuPerExit);
  // It is but one thread.
  add(PROCESS, storm.cpuPerExit);
}

/** Fixes the order of the rows. */
function prepare(table: Table, labels: readonly string[], counts: readonly number[]): void {
  for (const figure of [LAST, REAPER, PROCESS, WORK, BLOCK, BYSTANDER, BATCH, LARGEST])
    for (const label of labels) for (const x of counts) table.samples(figure.group, label, { ...figure, x });
}

async function run(bench: Bench): Promise<Findings> {
  const { room, limitedBy } = roomForChildren();
  const wanted = bench.quick ? QUICK_COUNTS : COUNTS;
  const counts = wanted.filter((count) => count <= room);
  const lineup = new Lineup(bench, NAMES, "hold");
  const floors = await Floors.compile();
  const table = new Table();
  const notes = wanted
    .filter((count) => count > room)
    .map((count) => `${count} children not measured, for ${limitedBy}`);
  const participants = lineup.start();
  prepare(table, [...lineup.present, ...FLOORS.map((way) => `C, ${way}`)], counts);
  const shortfalls = new Set<string>();
  for (const x of counts) {
    const measures = participants.map((participant) => () => {
      return lineup.attempt(participant, async () => {
        const shortfall = await measure(bench, table, participant, x);
        if (shortfall !== undefined) shortfalls.add(shortfall);
      });
    });
    for (const way of FLOORS) measures.push(() => measureFloor(bench, table, floors, way, x));
    await bench.interleave(measures, Math.min(ROUNDS, bench.rounds));
  }
  const most = counts.at(-1) ?? 0;
  const late = ({ group }: Figure, label: string): string => table.median(group, label, most).toFixed(0);
  const bars: Bar[] = [
    {
      what: `${most} exits: reaper CPU an exit, pidpool / C, pidfd`,
      relation: "at most",
      limit: BAR_CPU,
      unit: "x",
      value: table.ratio(REAPER.group, "pidpool", "C, pidfd", most),
    },
    {
      what: `${most} exits: pidpool's longest work in one turn of the main thread's event loop`,
      relation: "at most",
      limit: BAR_BLOCK_MS,
      unit: "ms",
      value: table.median(WORK.group, "pidpool", most),
    },
  ];
  return {
    unit: "",
    axis: "children released",
    rows: table.measured,
    bars,
    notes: [
      ...lineup.notes,
      ...notes,
      ...shortfalls,
      "CPU of the reaping threads: pidpool's are threads of its own; all others reap in the main thread, which also tells the program",
      `${most} exits: the main thread's event loop is ${late(BLOCK, "pidpool")} ms late with pidpool, ${late(BLOCK, "child_process")} ms with child_process, and ${late(BYSTANDER, "pidpool")} ms in a process that has no part in it: children that end keep all cores busy, and a thread waits for its turn`,
      `${most} exits: in C, a pidfd costs ${table.ratio(REAPER.group, "C, pidfd", "C, wait4", most).toFixed(2)} times the CPU of wait4(-1), and ${table.ratio(REAPER.group, "C, pidfd", "C, sigchld", most).toFixed(2)} times that of SIGCHLD with waitpid over the list`,
      ...losses(table, "pidpool", {
        counts: (group) => !NEUTRAL.has(group),
      }),
    ],
  };
}

/** See the head of this file. */
export const stormScenario: Scenario = { name: "storm", title: "children that all end at the same moment", run };
