// Very many children that live at once, all of whom are then killed: every one
// has a pid of its own and its one report, and nothing is kept of them.
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { LaunchError, type Process } from "pidpool";
import { ProcessPool } from "../helpers/pool.ts";
import { childPids } from "../helpers/processes.ts";
import { endOf } from "./kinds.ts";
import { FIGURES, NOISE, row, short, takeSample, type Sample } from "./sample.ts";

const LANES = 64;
const ROUNDS = 3;
/** fds that are kept for looking at /proc once children have taken all others. */
const RESERVE = 16;
interface Crowd {
  readonly children: Process[];
  /** Why there are no more. */
  readonly refusal: LaunchError | undefined;
  readonly seconds: number;
}

/** Starts so many, or as many as there can be. */
async function gather(start: () => Promise<Process>, count: number): Promise<Crowd> {
  const began = performance.now();
  const children: Process[] = [];
  let begun = 0;
  let refusal: LaunchError | undefined;
  const lane = async (): Promise<void> => {
    while (begun < count && refusal === undefined) {
      begun++;
      try {
        children.push(await start());
      } catch (error) {
        if (!(error instanceof LaunchError)) throw error;
        refusal = error;
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { children, refusal, seconds: (performance.now() - began) / 1000 };
}

/** Kills them all and waits for their reports. Returns how they ended. */
async function scatter(children: readonly Process[]): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  const exits = children.map(async (child) => {
    const end = endOf(await child.exited);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  });
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(exits);
  return ends;
}

/** An open file that is never read to its end, for whoever waits on its stdin: one fd for all. */
function openNever(): number {
  const directory = mkdtempSync(join(tmpdir(), "pidpool-soak-"));
  try {
    const fifo = join(directory, "never");
    execFileSync("mkfifo", [fifo]);
    return openSync(fifo, "r+");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * Lets so many live at once, again and again, and prints a table.
 *
 * @param hold A program that waits for the end of its stdin.
 * @returns What is wrong, in words; empty where nothing is.
 */
export async function soakLive(count: number, hold: string, rounds: number = ROUNDS): Promise<string[]> {
  const faults = new Set<string>();
  const check = (what: string, is: number, must: number): void => {
    if (is !== must) faults.add(`${what}: ${is} instead of ${must}`);
  };
  const never = openNever();
  await using pool = new ProcessPool();
  let reports = 0;
  pool.on("exit", () => reports++);
  const command = pool.command(hold, [], { stdio: [never, "ignore", "ignore"], env: {} });
  const start = (): Promise<Process> => command.spawn() as Promise<Process>;

  await scatter((await gather(start, LANES)).children);
  await takeSample();
  const rest = await takeSample();
  process.stdout.write(`${row(["live", "seconds", ...FIGURES])}\n`);
  const show = (sample: Sample, live: number, seconds: number): void =>
    void process.stdout.write(`${row([live, seconds.toFixed(1), ...FIGURES.map((figure) => sample[figure])])}\n`);
  show(rest, 0, 0);
  const afterwards: Sample[] = [];
  for (let round = 1; round <= rounds; round++) {
    reports = 0;
    const reserve = Array.from({ length: RESERVE }, () => openSync("/dev/null", "r"));
    const { children, refusal, seconds } = await gather(start, count);
    for (const fd of reserve) closeSync(fd);
    if (refusal !== undefined) faults.add(refusal.message);
    check("live children", children.length, count);
    check("their pids", new Set(children.map(({ pid }) => pid)).size, children.length);
    check("children of this process, by /proc", childPids().length, children.length);
    check("children by stats()", pool.stats().children, children.length);
    show(await takeSample(), children.length, seconds);
    const began = performance.now();
    const ends = await scatter(children);
    const took = (performance.now() - began) / 1000;
    check("reports", reports, children.length);
    check("reports of SIGKILL", ends.get("SIGKILL") ?? 0, children.length);
    check("children left", childPids().length, 0);
    children.length = 0;
    const after = await takeSample(rest);
    afterwards.push(after);
    show(after, 0, took);
  }
  closeSync(never);
  const [first, last] = [afterwards[0], afterwards.at(-1)];
  for (const figure of FIGURES) {
    const [before, after] = [first?.[figure] ?? 0, last?.[figure] ?? 0];
    if (after - before > NOISE[figure]) faults.add(`${figure} grew from ${short(before)} to ${short(after)}`);
  }
  check("fds", last?.fds ?? 0, rest.fds);
  return [...faults];
}
