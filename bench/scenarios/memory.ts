// What a live child costs the process that watches it: JavaScript heap and
// resident memory, after garbage collection, over what there was without any.
import type { ContestantName } from "../contestants/registry.ts";
import { roomForChildren } from "../limits.ts";
import { Lineup, type Participant } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

/** 20 000 take child_process half a minute: of one Node only. */
const NAMES: readonly ContestantName[] = ["child_process", "Bun.spawn", "Deno.Command", "sigchld", "pidpool"];
const COUNTS = [1000, 5000, 20_000];
const QUICK_COUNTS = [1000];
/** fds and processes for everything else; less than elsewhere, as nothing else happens here. */
const RESERVE = 200;
/** Not so many in a process that has started none: what is made once is not what a child costs. */
const WARM_UP = 200;
const ROUNDS = 2;
const PATIENCE_MS = 30_000;
const BAR_KB = 2;
const HEAP = { group: "JavaScript heap", unit: "KB a child" } as const;
const RESIDENT = { group: "resident memory", unit: "KB a child" } as const;

/** In a fresh process, which has no memory left over from more children. Returns notes. */
async function measure(
  bench: Bench,
  table: Table,
  { name, runner }: Participant,
  counts: readonly number[],
): Promise<string[]> {
  const file = bench.children.hold;
  await runner.ask("hold", { file, count: WARM_UP, most: PATIENCE_MS });
  await runner.ask("release", {});
  const before = await runner.ask("usage", {});
  let alive = 0;
  for (const x of counts) {
    const { launches } = await runner.ask("hold", { file, count: x - alive, most: PATIENCE_MS });
    alive += launches;
    if (alive < x)
      return [`${name}: ${x} children not measured, after ${PATIENCE_MS / 1000} s it had started ${alive}`];
    const now = await runner.ask("usage", {});
    const add = ({ group, unit }: typeof HEAP | typeof RESIDENT, bytes: number): void => {
      table.samples(group, name, { x, unit }).push(bytes / 1024 / alive);
    };
    add(HEAP, now.heapBytes - before.heapBytes);
    add(RESIDENT, now.residentBytes - before.residentBytes);
  }
  return [];
}

async function run(bench: Bench): Promise<Findings> {
  const { room, limitedBy } = roomForChildren(RESERVE);
  const wanted = bench.quick ? QUICK_COUNTS : COUNTS;
  const counts = [...new Set(wanted.map((count) => Math.min(count, room)))];
  const most = counts.at(-1) ?? 0;
  const notes = new Set<string>();
  if (most < Math.max(...wanted)) notes.add(`${most} children instead of ${Math.max(...wanted)}, for ${limitedBy}`);
  const table = new Table();
  const lineup = new Lineup(bench, NAMES, "hold");
  for (const { group, unit } of [HEAP, RESIDENT])
    for (const name of lineup.present) for (const x of counts) table.samples(group, name, { x, unit });
  const measures = lineup.present.map((name) => async () => {
    const participant = { name, runner: bench.start(name) };
    await lineup.attempt(participant, async () => {
      for (const note of await measure(bench, table, participant, counts)) notes.add(note);
      await participant.runner.close();
    });
  });
  await bench.interleave(measures, Math.min(ROUNDS, bench.rounds));
  const value = table.median(HEAP.group, "pidpool", most);
  return {
    unit: "KB a child",
    axis: "live children",
    rows: table.measured,
    bars: [{ what: `pidpool: heap with ${most} live children`, relation: "at most", limit: BAR_KB, unit: "KB", value }],
    notes: [
      ...lineup.notes,
      ...notes,
      "each figure includes what the benchmark keeps of a child, some 0.15 KB",
      ...losses(table, "pidpool"),
    ],
  };
}

/** See the head of this file. */
export const memoryScenario: Scenario = {
  name: "memory",
  title: "memory of the launching process by live children that only wait",
  run,
};
