// A process that lives through rounds: `node host.js` with a HostPlan as its
// argument. Tells each as a line of JSON, and ends with 1 at the first that
// fails.
import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { ProcessPool, type Isolation } from "pidpool";
import { FAULTS } from "./faults/all.ts";
import type { Weather } from "./judge.ts";
import type { Kit } from "./orders.ts";
import { Random } from "./random.ts";
import { Round, type RoundResult } from "./round.ts";
import { settled, tracesNow, type Traces } from "./traces.ts";

/** What a host is told. */
export interface HostPlan {
  /** Of the first round; it gives those of the others. */
  readonly seed: number;
  /** Begins no round after so many milliseconds. */
  readonly ms: number;
  /** Begins no more rounds than these. */
  readonly rounds: number;
  readonly operations: number;
  readonly kit: Kit;
  readonly freeze: string;
  /** By name. */
  readonly faults: readonly string[];
  readonly excuses: Partial<Weather>;
  readonly isolations: readonly Isolation[];
  readonly mark: string;
}

/** What it tells of each round. */
export interface RoundTold extends RoundResult {
  readonly seed: number;
  readonly ms: number;
  /** After a collection. */
  readonly heap: number;
  readonly rss: number;
}

/** Milliseconds after which a round in which nothing has happened hangs, however busy the machine is. */
const PATIENCE = 60_000;

// Room for what a supervisor needs, not for what the fault of that name sends it.
setFlagsFromString("--max-old-space-size=48");

const plan = JSON.parse(process.argv[2] ?? "") as HostPlan;
const tools = { pool: new ProcessPool({ threads: 1, isolation: "none" }), freeze: plan.freeze };
const faults = FAULTS.filter(({ name }) => plan.faults.includes(name));
const strays: string[] = [];
process.on("unhandledRejection", (error) => strays.push(`unhandled rejection: ${String(error)}`));
process.on("uncaughtException", (error) => strays.push(`uncaught exception: ${error.stack}`));

/** Calls `stuck` when no launch has begun or come out for {@link PATIENCE}. */
function whenStuck(round: Round, stuck: () => void): NodeJS.Timeout {
  let last = "";
  let since = performance.now();
  return setInterval(() => {
    const counts = JSON.stringify(round.counts);
    if (counts !== last) since = performance.now();
    else if (performance.now() - since > PATIENCE) stuck();
    last = counts;
  }, 1000);
}

async function play(seed: number, before: Traces | undefined): Promise<RoundTold> {
  const { operations, kit, excuses, isolations, mark } = plan;
  const began = performance.now();
  const round = new Round({ seed, operations, kit, tools, faults, excuses, isolations, mark });
  const patience = whenStuck(round, () => {
    const stuck = {
      seed,
      ms: performance.now() - began,
      heap: 0,
      rss: 0,
      counts: round.counts,
      failures: ["it hangs", ...round.tell()],
    };
    process.stdout.write(`${JSON.stringify(stuck)}\n`, () => process.exit(1));
  });
  const { counts, failures } = await round.run().catch((error: unknown) => ({
    counts: round.counts,
    failures: [`the round itself failed: ${error instanceof Error ? error.stack : String(error)}`],
  }));
  clearInterval(patience);
  const left = before === undefined ? [] : await settled(before, mark, PATIENCE);
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed: heap, rss } = process.memoryUsage();
  const all = [...failures, ...left.map((what) => `left: ${what}`), ...strays.splice(0)];
  return { seed, ms: performance.now() - began, heap, rss, counts, failures: all };
}

await tools.pool.run("true");
// Node starts its own pool of threads when it is first needed, and aborts where it cannot.
await Promise.all(Array.from({ length: 8 }, () => readFile("/proc/self/stat")));
// The first round opens what stays open: libraries, V8's and libuv's threads.
let before: Traces | undefined;
const seeds = new Random(plan.seed);
const end = performance.now() + plan.ms;
for (let n = 0; n < plan.rounds && (n === 0 || performance.now() < end); n++) {
  const told = await play(n === 0 ? plan.seed : seeds.seed(), before);
  await new Promise((resolve) => process.stdout.write(`${JSON.stringify(told)}\n`, resolve));
  // What a failure has left would keep this process alive.
  if (told.failures.length > 0) process.exit(1);
  before ??= tracesNow(plan.mark);
}
await tools.pool.destroy();
