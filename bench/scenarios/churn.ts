// The cost of a whole lifecycle, from the call to the exit's report, with many
// in flight; alone and beside 1 GB of memory, whose page tables a fork copies.
// Node lets V8 keep its own heap out of forks (MADV_DONTFORK), so it matters
// where the memory is: both kinds are measured.
import { freemem } from "node:os";
import type { ContestantName } from "../contestants/registry.ts";
import type { MemoryKind } from "../runner/protocol.ts";
import type { Runner } from "../runner/runner.ts";
import { median } from "../stats.ts";
import type { Bar, Bench, Findings, Row, Scenario } from "./scenario.ts";

/** Children at a time. */
export const IN_FLIGHT = 64;
/** Contestants that need longer for these than a round lasts take longer. */
export const LEAST: number = 2 * IN_FLIGHT;

const NAMES: readonly ContestantName[] = ["child_process", "pidpool"];

interface Setting {
  readonly group: string;
  readonly megabytes: number;
  readonly kind: MemoryKind;
  /** child_process / pidpool, at least. */
  readonly bar?: number;
}

const SETTINGS: readonly Setting[] = [
  { group: "empty heap", megabytes: 0, kind: "heap", bar: 10 },
  { group: "1 GB in Buffers", megabytes: 1024, kind: "buffers", bar: 200 },
  { group: "1 GB in V8's heap", megabytes: 1024, kind: "heap" },
];
/** What a runner needs beside the memory that it is told to fill. */
const HEADROOM_MB = 500;

/** Launches for one measurement; µs a child. */
export async function churn(
  bench: Bench,
  runner: Runner,
  milliseconds: number = bench.milliseconds,
  inFlight: number = IN_FLIGHT,
): Promise<number> {
  const { nop } = bench.children;
  const answer = await runner.ask("churn", { file: nop, inFlight, milliseconds, least: LEAST, delay: false });
  return (answer.milliseconds * 1000) / answer.launches;
}

/** All contestants in one setting; each has a process of its own, and all of them live meanwhile. */
async function measureSetting(bench: Bench, { group, megabytes, kind }: Setting, notes: string[]): Promise<Row[]> {
  if ((megabytes + HEADROOM_MB) * NAMES.length * 1024 * 1024 > freemem()) {
    notes.push(`${group}: not measured, too little free memory`);
    return [];
  }
  const contestants: { row: Row; measure: () => Promise<void>; runner: Runner }[] = [];
  for (const name of NAMES) {
    const runner = bench.start(name);
    if (megabytes > 0) {
      const { residentMegabytes } = await runner.ask("memory", { megabytes, kind });
      notes.push(`${group}: ${name} has ${residentMegabytes} MB resident`);
    }
    await churn(bench, runner, bench.milliseconds / 2);
    const samples: number[] = [];
    const measure = async (): Promise<void> => void samples.push(await churn(bench, runner));
    contestants.push({ row: { group, label: name, samples }, measure, runner });
  }
  await bench.interleave(contestants.map(({ measure }) => measure));
  await Promise.all(contestants.map(({ runner }) => runner.close()));
  return contestants.map(({ row }) => row);
}

async function run(bench: Bench): Promise<Findings> {
  const rows: Row[] = [];
  const bars: Bar[] = [];
  const notes: string[] = [];
  for (const setting of SETTINGS) {
    const measured = await measureSetting(bench, setting, notes);
    rows.push(...measured);
    const cost = (name: ContestantName): number => median(measured.find(({ label }) => label === name)?.samples ?? []);
    const value = cost("child_process") / cost("pidpool");
    const { group, bar } = setting;
    if (bar !== undefined)
      bars.push({ what: `${group}: child_process / pidpool`, relation: "at least", limit: bar, unit: "x", value });
    else notes.push(`${group}: child_process / pidpool is ${value.toFixed(1)} x`);
  }
  return { unit: "µs a child", rows, bars, notes };
}

/** See the head of this file. */
export const churnScenario: Scenario = {
  name: "churn",
  title: `a child that exits at once, ${IN_FLIGHT} in flight, output ignored, no isolation, two supervisor threads`,
  run,
};
