// Output captured and input fed, by how much of it there is: a little is a
// matter of launching, much one of copying.
import { CONTESTANTS, type ContestantName } from "../contestants/registry.ts";
import { Floors } from "../floors/floors.ts";
import type { Runner } from "../runner/runner.ts";
import { BigFile } from "./big-file.ts";
import { effort } from "./launches.ts";
import { Lineup } from "./lineup.ts";
import { losses } from "./losses.ts";
import type { Bar, Bench, Findings, Scenario } from "./scenario.ts";
import { Table } from "./table.ts";

const KB = 1024;
const SIZES = [KB, KB * KB, 100 * KB * KB];
const [SMALL, , LARGE] = SIZES as [number, number, number];
const QUICK_SIZES = [SMALL, LARGE];
/** Several at a time only where the output is small: a large one takes all there is. */
const SEVERAL = 8;
const ROUNDS = 3;
/** Runs that do not count, before each measure: so many, or for so long. */
const WARM_UPS = 4;
const WARM_UP_MS = 1000;
/** A measure's share of the usual time: there are many. */
const SHARE = 0.6;
const BAR_EXEC_FILE = 4;
const BAR_EXECA = 5;
const BAR_CAT = 0.8;

const OUTPUT = "output";
const INPUT = "input";
const CAT = "output of cat, a file of 100 MB";
const groupOf = (what: string, inFlight: number): string => `${what}, ${inFlight} in flight`;

/** Adds a measure of a contestant or a floor; what it returns is a sample of the row. */
type Add = (group: string, label: string, size: number, measure: (milliseconds: number) => Promise<number>) => void;

async function captured(
  bench: Bench,
  runner: Runner,
  inFlight: number,
  milliseconds: number,
  file: string,
  args: readonly string[],
  size: number,
): Promise<number> {
  const how = effort(bench, inFlight, milliseconds);
  // The memory that this takes may have been idle since others had their turn, and given back to the host. One run is
  // not enough where memory is freed by a garbage collection, later.
  await runner.ask("capture", { inFlight, milliseconds: 1, least: WARM_UPS * inFlight, most: WARM_UP_MS, file, args });
  const { launches, milliseconds: took, bytes } = await runner.ask("capture", { ...how, file, args });
  if (bytes !== size) throw new Error(`it captured ${bytes} of ${size} bytes`);
  return (took * 1000) / launches;
}

async function fed(
  bench: Bench,
  runner: Runner,
  inFlight: number,
  milliseconds: number,
  bytes: number,
): Promise<number> {
  const how = effort(bench, inFlight, milliseconds);
  await runner.ask("feed", {
    inFlight,
    milliseconds: 1,
    least: WARM_UPS * inFlight,
    most: WARM_UP_MS,
    file: bench.children.swallow,
    args: [],
    bytes,
  });
  const outcome = await runner.ask("feed", { ...how, file: bench.children.swallow, args: [], bytes });
  return (outcome.milliseconds * 1000) / outcome.launches;
}

function addContestant(bench: Bench, add: Add, name: string, runner: Runner, size: number, cat: BigFile): void {
  const { emit } = bench.children;
  for (const inFlight of size === SMALL ? [1, SEVERAL] : [1]) {
    add(groupOf(OUTPUT, inFlight), name, size, (ms) =>
      captured(bench, runner, inFlight, ms, emit, [String(size)], size),
    );
    add(groupOf(INPUT, inFlight), name, size, (ms) => fed(bench, runner, inFlight, ms, size));
  }
  if (size === LARGE) add(CAT, name, LARGE, (ms) => captured(bench, runner, 1, ms, "/bin/cat", [cat.path], LARGE));
}

/** What it does in a round's time: as long as a launch takes it and a gigabyte a second. */
function addFloor(bench: Bench, add: Add, floors: Floors, cat: BigFile): void {
  const label = "C, wait4";
  const measure = async (ms: number, size: number, file: string, args: readonly string[]): Promise<number> => {
    const times = Math.max(2, Math.round((ms * 1000) / (100 + size / 1000)));
    const bytesPerMs = await floors.capture(times, file, args);
    return (size / bytesPerMs) * 1000;
  };
  for (const size of bench.quick ? QUICK_SIZES : SIZES)
    add(groupOf(OUTPUT, 1), label, size, (ms) => measure(ms, size, bench.children.emit, [String(size)]));
  add(CAT, label, LARGE, (ms) => measure(ms, LARGE, "/bin/cat", [cat.path]));
}

/** Fixes the order of the rows. */
function prepare(table: Table, names: readonly string[]): void {
  for (const name of names) {
    for (const what of [OUTPUT, INPUT]) {
      for (const size of SIZES) table.samples(groupOf(what, 1), name, { x: size / KB });
      table.samples(groupOf(what, SEVERAL), name, { x: SMALL / KB });
    }
  }
}

function atLeast(what: string, limit: number, value: number): Bar {
  return { what, relation: "at least", limit, unit: "x", value };
}

async function run(bench: Bench): Promise<Findings> {
  const table = new Table();
  const lineup = new Lineup(bench, Object.keys(CONTESTANTS) as ContestantName[], "capture", "feed");
  const floors = await Floors.compile();
  using cat = new BigFile(LARGE);
  const milliseconds = bench.milliseconds * SHARE;
  const measures: (() => Promise<void>)[] = [];
  const adder = (through: (measure: () => Promise<void>) => Promise<void>): Add => {
    return (group, label, size, measure) => {
      const samples = table.samples(group, label, { x: size / KB });
      measures.push(() => through(async () => void samples.push(await measure(milliseconds))));
    };
  };
  prepare(table, lineup.present);
  for (const size of bench.quick ? QUICK_SIZES : SIZES) {
    // Each size has processes of its own: what is left over from large ones would make forks for small ones slow.
    for (const participant of lineup.start()) {
      const { name, runner } = participant;
      const add = adder((measure) => lineup.attempt(participant, measure));
      addContestant(bench, add, name, runner, size, cat);
      // Code is compiled, threads are started.
      await lineup.attempt(participant, async () => {
        await captured(bench, runner, SEVERAL, milliseconds / 2, bench.children.emit, [String(SMALL)], SMALL);
        await fed(bench, runner, SEVERAL, milliseconds / 2, SMALL);
      });
    }
  }
  const add = adder((measure) => measure());
  addFloor(bench, add, floors, cat);
  await bench.interleave(measures, Math.min(ROUNDS, bench.rounds));
  const small = groupOf(OUTPUT, SEVERAL);
  const overSmall = (other: string): number => table.ratio(small, other, "pidpool", SMALL / KB);
  const bars = [
    atLeast(`1 KB of ${small}: execFile / pidpool`, BAR_EXEC_FILE, overSmall("child_process")),
    atLeast(`1 KB of ${small}: execa / pidpool`, BAR_EXECA, overSmall("execa")),
    atLeast(`${CAT}: speed of a reader in C`, BAR_CAT, table.ratio(CAT, "C, wait4", "pidpool", LARGE / KB)),
  ];
  return {
    unit: "µs a run",
    axis: "KB of output or input",
    rows: table.measured,
    bars,
    notes: [...lineup.notes, ...losses(table, "pidpool")],
  };
}

/** See the head of this file. */
export const captureScenario: Scenario = {
  name: "capture",
  title: "static children that write their output or read their input and do nothing else; all bytes are kept",
  run,
};
