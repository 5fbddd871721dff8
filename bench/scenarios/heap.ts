// The cost of a launch beside much memory, whose page tables a fork copies.
// Node lets V8 keep its own heap out of forks (MADV_DONTFORK), so it matters
// where the memory is: both kinds are measured.
import { freemem } from "node:os";
import type { ContestantName } from "../contestants/registry.ts";
import type { MemoryKind } from "../runner/protocol.ts";
import { churn, effort, IN_FLIGHT, warmUp } from "./launches.ts";
import { closeAll, Lineup, type Participant } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

const NAMES: readonly ContestantName[] = ["child_process", "child_process, newest Node", "Bun.spawn", "pidpool"];
const GROUPS: Readonly<Record<MemoryKind, string>> = { buffers: "memory in Buffers", heap: "memory in V8's heap" };
const GIGABYTE = 1024;
/** V8's heap takes long to fill, and its bound is 4 GB. */
const SIZES: Readonly<Record<MemoryKind, readonly number[]>> = {
  buffers: [0, 256, GIGABYTE, 4 * GIGABYTE],
  heap: [0, 256, GIGABYTE],
};
const QUICK_SIZES = [0, GIGABYTE];
/** What all runners need beside the memory that they are told to fill. */
const HEADROOM_MB = 1500;
const ROUNDS = 3;
const BAR = 300;

/** Brings all of them to that size; each has a process of its own, and all of them live meanwhile. */
async function grow(
  lineup: Lineup,
  participants: readonly Participant[],
  kind: MemoryKind,
  megabytes: number,
): Promise<void> {
  for (const participant of participants)
    await lineup.attempt(participant, async () => void (await participant.runner.ask("memory", { megabytes, kind })));
}

async function measureKind(bench: Bench, table: Table, lineup: Lineup, kind: MemoryKind): Promise<void> {
  const group = GROUPS[kind];
  const participants = lineup.start();
  let size = 0;
  const sizes = bench.quick ? QUICK_SIZES : SIZES[kind];
  for (const { name } of participants) for (const x of sizes) table.samples(group, name, { x });
  for (const { runner } of participants) await warmUp(bench, runner);
  for (const x of sizes) {
    if (((x - size) * participants.length + HEADROOM_MB) * 1024 * 1024 > freemem()) {
      lineup.notes.push(`${group}: ${x} MB not measured, too little free memory`);
      break;
    }
    await grow(lineup, participants, kind, x - size);
    size = x;
    const measures = participants.map((participant) => async () => {
      await lineup.attempt(participant, async () => {
        const cost = await churn(participant.runner, bench.children.nop, effort(bench, IN_FLIGHT));
        table.samples(group, participant.name, { x }).push(cost);
      });
    });
    await bench.interleave(measures, Math.min(ROUNDS, bench.rounds));
  }
  await closeAll(participants);
}

async function run(bench: Bench): Promise<Findings> {
  const table = new Table();
  const all = new Lineup(bench, NAMES, "run");
  await measureKind(bench, table, all, "buffers");
  const withV8 = new Lineup(
    bench,
    all.present.filter((name) => name !== "Bun.spawn"),
  );
  await measureKind(bench, table, withV8, "heap");
  const times = (kind: MemoryKind, name: ContestantName): number =>
    table.ratio(GROUPS[kind], name, "pidpool", GIGABYTE);
  const value = times("buffers", "child_process, newest Node");
  const what = "child_process, newest Node / pidpool, beside 1 GB";
  return {
    unit: "µs a child",
    axis: "MB in use",
    rows: table.measured,
    bars: [{ what: `${what} in Buffers`, relation: "at least", limit: BAR, unit: "x", value }],
    notes: [
      ...all.notes,
      ...withV8.notes,
      `${what} in V8's heap: ${times("heap", "child_process, newest Node").toFixed(1)} x; Node marks that memory as not to be copied by fork (MADV_DONTFORK)`,
      ...losses(table, "pidpool"),
    ],
  };
}

/** See the head of this file. */
export const heapScenario: Scenario = {
  name: "heap",
  title: `a static child that exits at once, ${IN_FLIGHT} in flight, beside memory that the launching process has in use`,
  run,
};
