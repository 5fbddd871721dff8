// Very many pools, one after another, each with threads of its own that start
// and end: memory, fds and threads as before.
import { performance } from "node:perf_hooks";
import { ProcessPool } from "../helpers/pool.ts";
import { refusal } from "../helpers/isolation.ts";
import { childPids, guardianPids } from "../helpers/processes.ts";
import { FIGURES, growth, row, takeSample, type Sample } from "./sample.ts";

const ROUNDS = 20;
/** Children of each pool. */
const CHILDREN = 2;
/** Every so many pools: one with a guardian, and one that is not closed but destroyed. */
const EVERY = 10;

/** Opens and closes them and prints a table. Returns what is wrong, in words. */
export async function soakPools(count: number, nop: string): Promise<string[]> {
  const faults: string[] = [];
  const refused = await refusal("contained");
  let opened = 0;
  let reports = 0;
  async function live(pools: number): Promise<void> {
    for (let i = 0; i < pools; i++) {
      opened++;
      const contained = opened % EVERY === 0 && refused === false;
      const pool = new ProcessPool({ threads: 1, ...(contained ? { isolation: "contained" } : {}) });
      pool.on("exit", () => reports++);
      const run = () => pool.run(nop, [], { stdio: "ignore" });
      await Promise.all(Array.from({ length: CHILDREN }, run));
      await (opened % EVERY === 1 ? pool.destroy() : pool.close());
    }
  }

  await live(Math.max(20, Math.ceil(count / ROUNDS)));
  opened = 0;
  reports = 0;
  const rest = await takeSample();
  const samples: Sample[] = [];
  const started = performance.now();
  process.stdout.write(`${row(["pools", "seconds", ...FIGURES])}\n`);
  const show = (sample: Sample): void => {
    const seconds = (performance.now() - started) / 1000;
    process.stdout.write(`${row([opened, seconds.toFixed(0), ...FIGURES.map((figure) => sample[figure])])}\n`);
  };
  show(rest);
  for (let round = 1; round <= ROUNDS; round++) {
    await live(Math.round((count * round) / ROUNDS) - opened);
    const sample = await takeSample(rest);
    samples.push(sample);
    show(sample);
  }
  faults.push(...growth(samples, count));
  if (reports !== count * CHILDREN) faults.push(`${reports} reports instead of ${count * CHILDREN}`);
  const left = childPids().length + guardianPids().length;
  if (left > 0) faults.push(`${left} processes left`);
  return faults;
}
