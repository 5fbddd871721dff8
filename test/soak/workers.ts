// Very many worker threads that make a pool and are terminated, one after
// another: those that have closed it before leave nothing but what each ended
// thread with koffi leaves.
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { Worker } from "node:worker_threads";
import { allChildPids } from "../helpers/processes.ts";
import { FIGURES, LEFT_BY_KOFFI, row, short, takeSample, type Sample } from "./sample.ts";

/** A worker has a supervisor thread besides. */
const THREADS = 2;

async function live(count: number, nop: string, closes: boolean): Promise<void> {
  for (let i = 0; i < count; i++) {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: { nop, closes } });
    await once(worker, "message");
    await worker.terminate();
  }
}

/** Starts and ends them, half of them with their pool open, and prints what each has left. Returns what is wrong. */
export async function soakWorkers(count: number, nop: string): Promise<string[]> {
  const faults: string[] = [];
  process.stdout.write(`${row(["workers", "seconds", ...FIGURES])}\n`);
  for (const closes of [true, false]) {
    await live(5, nop, closes);
    const before = await takeSample();
    const began = performance.now();
    await live(count, nop, closes);
    const seconds = (performance.now() - began) / 1000;
    const after = await takeSample(before);
    const left = (figure: keyof Sample): number => (after[figure] - before[figure]) / count;
    process.stdout.write(`${closes ? "each, its pool closed, left:" : "each, its pool open, left:"}\n`);
    process.stdout.write(`${row([count, seconds.toFixed(0), ...FIGURES.map((figure) => left(figure).toFixed(3))])}\n`);
    if (!closes) continue;
    for (const figure of ["fds", "threads", "listeners", "resources"] as const)
      if (left(figure) > 0) faults.push(`${figure}: ${short(left(figure))} left by each worker with a closed pool`);
    if (left("mappings") > LEFT_BY_KOFFI.mappings * THREADS + 0.5)
      faults.push(`mappings: ${left("mappings")} left by each`);
  }
  process.stdout.write(`${allChildPids().length} children left\n`);
  return faults;
}
