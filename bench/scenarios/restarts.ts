// Processes that are kept alive and all killed at the same moment: how long
// until all of them run again, and what that costs the process that keeps them.
// They say themselves when they began, and the harness kills them, so that
// nothing of what is measured is told by who is measured.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContestantName } from "../contestants/registry.ts";
import type { Runner } from "../runner/runner.ts";
import { closeAll, Lineup } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bench, Findings, Scenario } from "./scenario.ts";
import { StartLog } from "./start-log.ts";
import { Table } from "./table.ts";

/** All who can keep processes alive. */
export const KEEPERS: readonly ContestantName[] = ["child_process", "pm2", "pidpool"];
const COUNTS = [100, 1000];
const QUICK_COUNTS = [50];
/** pm2 starts its processes one after the other. */
const MOST: Partial<Record<ContestantName, number>> = { pm2: 100 };

const ALL = { group: "from the first kill until all run again", unit: "ms" } as const;
const MAIN = { group: "CPU of the main thread a restart", unit: "µs" } as const;
const PROCESS = { group: "CPU of the whole process a restart", unit: "µs" } as const;
const LATE = { group: "longest delay of the main thread's event loop", unit: "ms" } as const;

/** One contestant's processes of one number. */
interface Kept {
  readonly name: ContestantName;
  readonly count: number;
  readonly runner: Runner;
  readonly log: StartLog;
  /** How often all were started. */
  generation: number;
}

async function storm(table: Table, kept: Kept): Promise<void> {
  const { name, count, runner, log } = kept;
  const before = kept.generation * count;
  const living = await log.starts(before - count, before);
  await runner.ask("watch", {});
  const [seconds, nanoseconds] = process.hrtime();
  for (const { pid } of living) process.kill(pid, "SIGKILL");
  kept.generation++;
  const again = await log.starts(before, before + count);
  const { main, process: whole, delay } = await runner.ask("watched", {});
  const add = ({ group, unit }: typeof ALL | typeof MAIN | typeof PROCESS | typeof LATE, value: number): void => {
    table.samples(group, name, { x: count, unit }).push(value);
  };
  add(ALL, Math.max(...again.map(({ at }) => at)) - (seconds * 1000 + nanoseconds / 1e6));
  add(MAIN, main / count);
  add(PROCESS, whole / count);
  if (delay !== null) add(LATE, delay.max);
}

async function run(bench: Bench): Promise<Findings> {
  const table = new Table();
  const directory = mkdtempSync(join(tmpdir(), "pidpool-bench-restarts-"));
  const counts = bench.quick ? QUICK_COUNTS : COUNTS;
  const notes: string[] = [];
  try {
    for (const count of counts) {
      const names = KEEPERS.filter((name) => count <= (MOST[name] ?? Infinity));
      for (const name of KEEPERS.filter((absent) => !names.includes(absent)))
        notes.push(`${name}: ${count} processes not measured, it starts them one after the other`);
      const lineup = new Lineup(bench, names, "keep");
      const participants = lineup.start();
      for (const figure of [ALL, MAIN, PROCESS, LATE])
        for (const name of lineup.present) table.samples(figure.group, name, { x: count, unit: figure.unit });
      const all: Kept[] = [];
      for (const participant of participants) {
        const { name, runner } = participant;
        await lineup.attempt(participant, async () => {
          const log = new StartLog(join(directory, `${name}-${count}`));
          await runner.ask("keep", { file: bench.children.serve, args: [log.file], count });
          await log.starts(0, count);
          const kept: Kept = { name, count, runner, log, generation: 1 };
          // Code is compiled; what is measured comes after.
          await storm(new Table(), kept);
          all.push(kept);
        });
      }
      await bench.interleave(
        all.map((kept) => () => lineup.attempt(kept, () => storm(table, kept))),
        Math.max(bench.rounds, 5),
      );
      notes.push(...lineup.notes.filter((note) => !notes.includes(note)));
      await closeAll(participants);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return {
    unit: "",
    axis: "processes killed at once",
    rows: table.measured,
    bars: [],
    notes: [
      ...notes,
      'child_process is a restart loop written by hand: it starts the program again in its "exit" event, and knows no policy, no limit and no order',
      "restarts are immediate for all of them: no backoff, no limit of starts",
      ...losses(table, "pidpool"),
    ],
  };
}

/** See the head of this file. */
export const restartsScenario: Scenario = {
  name: "restarts",
  title: "services that all die at the same moment and are started again",
  run,
};
