// Very many lifecycles of all kinds on one pool: as many reports as launches, of
// the right kinds, and memory, fds, threads and handles as before.
import { performance } from "node:perf_hooks";
import { ProcessPool } from "../helpers/pool.ts";
import { refusal } from "../helpers/isolation.ts";
import { childPids, guardianPids } from "../helpers/processes.ts";
import { Census } from "./census.ts";
import { endOf, kindsOf, type Programs } from "./kinds.ts";
import { Mix } from "./mix.ts";
import { FIGURES, growth, row, takeSample, type Sample } from "./sample.ts";

const IN_FLIGHT = 64;
/** How a launch ends that has no child. */
const NONE = "none";
/** Samples, each after as many lifecycles. */
const ROUNDS = 20;

/**
 * Lives them and prints a table.
 *
 * @param only The name of a kind: a leak of a rare one is found sooner.
 * @returns What is wrong, in words; empty where nothing is.
 */
export async function soakLifecycles(count: number, programs: Programs, only?: string): Promise<string[]> {
  await using pool = new ProcessPool({ concurrency: IN_FLIGHT });
  const census = new Census(pool);
  const refused = await refusal("contained");
  if (refused !== false) process.stdout.write(`without a pid namespace: ${refused}\n`);
  const mix = new Mix(kindsOf(pool, programs, refused === false ? "contained" : "none"), only);
  /** What each lifecycle was told of its own end. */
  const ends = new Map<string, number>();
  let lived = 0;

  async function live(lifecycles: number): Promise<void> {
    let left = lifecycles;
    const client = async (): Promise<void> => {
      while (left > 0) {
        left--;
        const kind = mix.next();
        const report = await kind.live().catch((cause: unknown) => {
          throw new Error(`a lifecycle "${kind.name}" went wrong`, { cause });
        });
        const end = report === undefined ? NONE : endOf(report);
        ends.set(end, (ends.get(end) ?? 0) + 1);
        lived++;
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, client));
    census.forgetPids();
  }

  // What is made once is made now: threads, namespaces, code.
  await live(Math.max(400, Math.ceil(count / ROUNDS)));
  lived = 0;
  census.reports = 0;
  census.ends.clear();
  ends.clear();
  await takeSample();
  const rest = await takeSample();
  const guardians = guardianPids().length;
  const samples: Sample[] = [];
  const started = performance.now();
  process.stdout.write(`${row(["lifecycles", "seconds", ...FIGURES])}\n`);
  const show = (sample: Sample): void => {
    const seconds = (performance.now() - started) / 1000;
    process.stdout.write(`${row([lived, seconds.toFixed(0), ...FIGURES.map((figure) => sample[figure])])}\n`);
  };
  show(rest);
  let spent = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const begin = performance.now();
    await live(Math.round((count * round) / ROUNDS) - lived);
    spent += performance.now() - begin;
    const sample = await takeSample(rest);
    samples.push(sample);
    show(sample);
  }

  const children = childPids();
  const none = ends.get(NONE) ?? 0;
  const { failed, children: counted } = pool.stats();
  const rate = Math.round((lived / spent) * 1000);
  process.stdout.write(`${lived} lifecycles, ${census.reports} reports and ${none} failed launches\n`);
  process.stdout.write(`in ${(spent / 1000).toFixed(1)} s (${rate} a second); ${children.length} children left\n`);
  process.stdout.write(`${[...ends].map(([end, n]) => `${end}: ${n}`).join(", ")}\n`);

  const faults = growth(samples);
  const check = (what: string, is: number, must: number): void => {
    if (is !== must) faults.push(`${what}: ${is} instead of ${must}`);
  };
  check("lifecycles", lived, count);
  check("reports", census.reports, count - none);
  check("lives that overlap under one pid", census.overlaps, 0);
  for (const end of new Set([...census.ends.keys(), ...ends.keys()]))
    if (end !== NONE) check(`reports of ${end}`, census.ends.get(end) ?? 0, ends.get(end) ?? 0);
  check("children", children.length, 0);
  check("children by stats()", counted, 0);
  if (failed < none) faults.push(`${failed} failed launches by stats() instead of ${none}`);
  check("guardians", guardianPids().length, guardians);
  return faults;
}
