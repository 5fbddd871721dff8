// The cost of a launch beside many children that live on: one at a time, where
// whatever looks at all children does so for each exit, and many at once, where
// it does so for several. All points are measured in the same process, in
// every round anew; without idle children before there were any in one round
// and after they have gone in the next, as what comes later finds everything
// warm.
import type { ContestantName } from "../contestants/registry.ts";
import { roomForChildren } from "../limits.ts";
import { churn, effort, IN_FLIGHT, warmUp } from "./launches.ts";
import { Lineup, type Participant } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bar, Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

/** One of each way to learn of exits; the newest Node's is that of any. */
const NAMES: readonly ContestantName[] = ["child_process", "Bun.spawn", "sigchld", "pidpool"];
const COUNTS = [100, 1000, 10_000];
const QUICK_LARGEST = 1000;
/** As many with one in flight as with many. */
const IN_FLIGHTS = [1, IN_FLIGHT];
/** Starting the idle ones takes a contestant no longer than this; it then stands beside fewer. */
const PATIENCE_MS = 20_000;
const ROUNDS = 3;
const BAR = 1.1;

const groupOf = (inFlight: number): string => `${inFlight} in flight`;

async function measure(
  bench: Bench,
  table: Table,
  { name, runner }: Participant,
  counts: readonly number[],
  noneFirst: boolean,
): Promise<string | undefined> {
  const at = async (x: number): Promise<void> => {
    for (const inFlight of IN_FLIGHTS) {
      const cost = await churn(runner, bench.children.nop, effort(bench, inFlight));
      table.samples(groupOf(inFlight), name, { x }).push(cost);
    }
  };
  let alive = 0;
  let note: string | undefined;
  if (noneFirst) await at(0);
  for (const x of counts) {
    const { launches } = await runner.ask("hold", {
      file: bench.children.hold,
      count: x - alive,
      most: PATIENCE_MS,
    });
    alive += launches;
    if (alive < x) {
      note = `${name}: ${x} idle children not measured, after ${PATIENCE_MS / 1000} s it had started ${alive}`;
      break;
    }
    await at(x);
  }
  await runner.ask("release", {});
  if (!noneFirst) await at(0);
  return note;
}

async function run(bench: Bench): Promise<Findings> {
  const { room, limitedBy } = roomForChildren();
  const counts = COUNTS.filter((count) => count <= room && (!bench.quick || count <= QUICK_LARGEST));
  const lineup = new Lineup(bench, NAMES, "run", "hold");
  const notes: string[] = COUNTS.filter((count) => count > room).map(
    (count) => `${count} idle children not measured, for ${limitedBy}`,
  );
  const table = new Table();
  const participants = lineup.start();
  for (const { runner } of participants) await warmUp(bench, runner);
  for (const inFlight of IN_FLIGHTS)
    for (const { name } of participants) for (const x of [0, ...counts]) table.samples(groupOf(inFlight), name, { x });
  const shortfalls = new Set<string>();
  const measures = participants.map((participant) => {
    let round = 0;
    return () =>
      lineup.attempt(participant, async () => {
        const note = await measure(bench, table, participant, counts, round++ % 2 === 0);
        if (note !== undefined) shortfalls.add(note);
      });
  });
  await bench.interleave(measures, Math.min(ROUNDS, bench.rounds));
  const most = counts.at(-1) ?? 0;
  const bars: Bar[] = [];
  for (const inFlight of IN_FLIGHTS) {
    const group = groupOf(inFlight);
    for (const { name } of participants) {
      const value = table.median(group, name, most) / table.median(group, name, 0);
      const what = `${name}, ${group}: beside ${most} idle children / beside none`;
      if (name === "pidpool") bars.push({ what, relation: "at most", limit: BAR, unit: "x", value });
      else if (!Number.isNaN(value)) notes.push(`${what} is ${value.toFixed(2)} x`);
    }
  }
  return {
    unit: "µs a child",
    axis: "idle children",
    rows: table.measured,
    bars,
    notes: [...lineup.notes, ...shortfalls, ...notes, ...losses(table, "pidpool")],
  };
}

/** See the head of this file. */
export const idleScenario: Scenario = {
  name: "idle",
  title: "a static child that exits at once, beside children that only live",
  run,
};
