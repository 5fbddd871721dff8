// What launching at full speed, and a burst of launches, do to the event loop
// of the thread that asks for them. Idle and busy are measured in the same
// process, one after the other.
import { CONTESTANTS, type ContestantName } from "../contestants/registry.ts";
import { DelayProbe, type Delay } from "../delay.ts";
import { median } from "../stats.ts";
import { effort, IN_FLIGHT, warmUp } from "./launches.ts";
import { Lineup, type Participant } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

const SITUATIONS = ["idle", `churn, ${IN_FLIGHT} in flight`, "burst of 1 000"] as const;
const BURST = 1000;
const FIGURES = { p50: "median", p99: "p99", max: "longest" } as const;
const ROUNDS = 3;
/** This process only waits meanwhile. */
const BYSTANDER = `churn, ${IN_FLIGHT} in flight: p99 of another, idle process`;
const BAR_MS = 1;
/** Less than this nobody notices. */
const WORTH_MS = 0.5;

const groupOf = (situation: string, figure: keyof Delay): string => `${situation}: ${FIGURES[figure]}`;

async function measure(
  bench: Bench,
  table: Table,
  added: Map<string, number[]>,
  { name, runner }: Participant,
): Promise<void> {
  const { milliseconds } = bench;
  const file = bench.children.nop;
  const quiet = await runner.ask("quiet", { milliseconds });
  const probe = new DelayProbe();
  const busy = await runner.ask("churn", { ...effort(bench, IN_FLIGHT), file, delay: true });
  table.samples(BYSTANDER, name).push(probe.stop().p99);
  const burst = await runner.ask("burst", { file, count: BURST });
  for (const [i, { delay }] of [quiet, busy, burst].entries()) {
    if (delay === null) throw new Error("its runtime does not tell the event loop's delay");
    for (const figure of Object.keys(FIGURES) as (keyof Delay)[])
      table.samples(groupOf(SITUATIONS[i] ?? "", figure), name).push(delay[figure]);
  }
  const over = (busy.delay?.p99 ?? NaN) - (quiet.delay?.p99 ?? NaN);
  added.set(name, [...(added.get(name) ?? []), over]);
}

async function run(bench: Bench): Promise<Findings> {
  const table = new Table();
  const lineup = new Lineup(bench, Object.keys(CONTESTANTS) as ContestantName[], "run");
  const participants = lineup.start();
  for (const { runner } of participants) await warmUp(bench, runner);
  for (const situation of SITUATIONS)
    for (const figure of Object.keys(FIGURES) as (keyof Delay)[])
      for (const { name } of participants) table.samples(groupOf(situation, figure), name);
  for (const { name } of participants) table.samples(BYSTANDER, name, { better: "neither" });
  const added = new Map<string, number[]>();
  await bench.interleave(
    participants.map(
      (participant) => () => lineup.attempt(participant, () => measure(bench, table, added, participant)),
    ),
    Math.min(ROUNDS, bench.rounds),
  );
  const notes = [...lineup.notes];
  for (const [name, samples] of added) {
    if (name === "pidpool") continue;
    // While exits pour in, a loop may not come round in a whole round; see ../delay.ts.
    const stuck = median(samples) > bench.milliseconds * 0.9 ? ": its event loop did not come round once" : "";
    notes.push(`${name}: p99 of the churn over idle is ${median(samples).toFixed(1)} ms${stuck}`);
  }
  const value = median(added.get("pidpool") ?? []);
  return {
    unit: "ms late",
    rows: table.measured,
    bars: [{ what: "pidpool: p99 of the churn over idle", relation: "at most", limit: BAR_MS, unit: "ms", value }],
    notes: [
      ...notes,
      `an idle process that has no part in it: p99 of ${table.median(BYSTANDER, "pidpool").toFixed(2)} ms while pidpool churns: children and launchers keep all cores busy, and whoever wakes waits for its turn`,
      ...losses(table, "pidpool", {
        least: WORTH_MS,
        counts: (group) => !group.startsWith(SITUATIONS[0]) && group !== BYSTANDER,
      }),
    ],
  };
}

/** See the head of this file. */
export const delayScenario: Scenario = {
  name: "delay",
  title:
    "event-loop delay of the launching thread (monitorEventLoopDelay, 1 ms timer, less that 1 ms), idle and launching",
  run,
};
