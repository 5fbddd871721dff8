// `npm run chaos`: hosts in every world, one after another, for a while.
//
//   --seconds N      in all (default 300)
//   --seed N         of the first round of the first host (default: by chance)
//   --world NAME     only this one
//   --rounds N       of each host at most
//   --operations N   of each round (default 2000)
//   --fault NAME     only these, may be repeated
//
// Prints a line for each world, and for a round that fails what was wrong and
// the command that plays it again.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hasCommands } from "../helpers/processes.ts";
import { compiledForVm } from "../helpers/vm.ts";
import type { HostPlan, RoundTold } from "./host.ts";
import type { Kit } from "./orders.ts";
import { makePidsGroup } from "./pids-group.ts";
import { Random } from "./random.ts";
import { WORLDS, type World } from "./worlds.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "300" },
    seed: { type: "string" },
    world: { type: "string" },
    rounds: { type: "string", default: "1000000" },
    operations: { type: "string", default: "2000" },
    fault: { type: "string", multiple: true },
  },
});

/** MiB. RSS goes up and down with what the children of the moment write. */
const HEAP_MAY_GROW = 3;
const RSS_MAY_GROW = 100;

const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 31));
const seconds = Number(options.seconds);
const dir = mkdtempSync(join(tmpdir(), "pidpool-chaos-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

function compile(name: string): string {
  const ready = compiledForVm(name);
  if (ready !== undefined) return ready;
  const file = join(dir, name);
  const source = fileURLToPath(new URL(`../../../test/chaos/${name}.c`, import.meta.url));
  execFileSync("cc", ["-O1", "-Wall", "-o", file, source], { stdio: ["ignore", "ignore", "inherit"] });
  return file;
}

function makeKit(): Kit {
  chmodSync(dir, 0o755);
  const imp = compile("imp");
  const busy = join(dir, "busy");
  copyFileSync(imp, busy);
  // As long as this is open, exec fails with ETXTBSY.
  openSync(busy, "r+");
  const files = join(dir, "files");
  mkdirSync(files);
  chmodSync(files, 0o777);
  return { imp, busy, dir: files };
}

/** Sums of what hosts tell. */
interface Sum {
  rounds: number;
  operations: number;
  launches: number;
  reports: number;
  errors: number;
  faults: number;
  heap: number[];
  rss: number[];
}

function whyNot(world: World): string | undefined {
  if (world.root === true && process.getuid?.() !== 0) return "needs root";
  if (world.pidsGroup === true && "reason" in group) return group.reason;
  const missing = world.needs.filter((name) => !hasCommands(name));
  return missing.length > 0 ? `needs ${missing.join(", ")}` : undefined;
}

/** Stops and continues a process until it has ended. */
function interrupt(pid: number, random: Random): () => void {
  let timer: NodeJS.Timeout;
  const next = (stop: boolean): void => {
    process.kill(pid, stop ? "SIGSTOP" : "SIGCONT");
    timer = setTimeout(() => next(!stop), random.int(1, stop ? 100 : 400));
  };
  timer = setTimeout(() => next(true), 500);
  return () => clearTimeout(timer);
}

async function live(world: World, plan: HostPlan): Promise<{ sum: Sum; failed: RoundTold | string | undefined }> {
  const host = fileURLToPath(new URL("host.js", import.meta.url));
  const node = [process.execPath, "--expose-gc", "--enable-source-maps", host, JSON.stringify(plan)];
  const [file = "", ...args] = [
    ...world.wrap({ weather, seed: plan.seed, pidsGroup: "path" in group ? group.path : undefined }),
    ...node,
  ];
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, HOME: dir } });
  const ended = new Promise<string>((resolve) => {
    child.on("close", (code, signal) => resolve(String(signal ?? code)));
  });
  const letBe = world.stopped === true && child.pid !== undefined ? interrupt(child.pid, new Random(plan.seed)) : null;
  child.on("exit", () => letBe?.());
  const sum: Sum = { rounds: 0, operations: 0, launches: 0, reports: 0, errors: 0, faults: 0, heap: [], rss: [] };
  let failed: RoundTold | string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as RoundTold;
    sum.rounds++;
    for (const key of ["operations", "launches", "reports", "errors", "faults"] as const) sum[key] += told.counts[key];
    sum.heap.push(told.heap / 2 ** 20);
    sum.rss.push(told.rss / 2 ** 20);
    if (told.failures.length > 0) failed = told;
  }
  const end = await ended;
  if (failed === undefined && end !== "0") failed = `the host ended with ${end}`;
  return { sum, failed };
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
}

/** What a host's memory has grown by, between the first and the last third of its rounds, where it had enough of them. */
function growthOf(rounds: readonly number[]): number {
  const third = Math.floor(rounds.length / 3);
  // The first two load and warm up.
  return third < 3 ? 0 : median(rounds.slice(-third)) - median(rounds.slice(2, 2 + third));
}

const kit = makeKit();
const freeze = compile("freeze");
const weather = compile("weather");
/** As few processes and threads as leave room for a host. */
const group = makePidsGroup(60);
const worlds = WORLDS.filter(({ name }) => options.world === undefined || options.world === name);
const seeds = new Random(seed);
console.log(`seed ${seed}`);
for (const [n, world] of worlds.entries()) {
  const reason = whyNot(world);
  if (reason !== undefined) {
    console.log(`${world.name}: skipped, ${reason}`);
    continue;
  }
  const plan: HostPlan = {
    seed: n === 0 ? seed : seeds.seed(),
    ms: (seconds / worlds.length) * 1000,
    rounds: Number(options.rounds),
    operations: Number(options.operations),
    kit,
    freeze,
    faults: world.faults.filter((name) => options.fault?.includes(name) ?? true),
    excuses: world.excuses,
    isolations: world.isolations,
    mark: `chaos-${process.pid}-${n}`,
  };
  const { sum, failed } = await live(world, plan);
  const { rounds, operations, launches, reports, errors, faults, heap, rss } = sum;
  const memory = (list: number[]): string =>
    `${Math.round(list[1] ?? 0)} to ${Math.round(list.at(-1) ?? 0)} MiB (${growthOf(list).toFixed(1)})`;
  console.log(
    `${world.name}: ${rounds} rounds, ${operations} operations, ${launches} launches = ${reports} reports + ${errors} errors, ${faults} faults, heap ${memory(heap)}, RSS ${memory(rss)}`,
  );
  const heapMayGrow = HEAP_MAY_GROW + rounds * (world.heapPerRound ?? 0);
  const grown = growthOf(heap) > heapMayGrow || growthOf(rss) > RSS_MAY_GROW;
  if (failed === undefined && !grown) continue;
  process.exitCode = 1;
  if (failed === undefined) {
    console.log(`memory has grown; again: npm run chaos -- --world ${world.name} --seed ${plan.seed}`);
    continue;
  }
  const again = ["npm run chaos -- --world", world.name, "--rounds 1", "--operations", options.operations];
  for (const name of options.fault ?? []) again.push("--fault", name);
  if (typeof failed === "string") {
    console.log(`${failed}\nagain: ${again.join(" ")} --seed ${plan.seed}`);
  } else {
    for (const failure of failed.failures.slice(0, 20)) console.log(`  ${failure}`);
    console.log(`${failed.failures.length} failures; again: ${again.join(" ")} --seed ${failed.seed}`);
  }
}
if ("remove" in group) group.remove();
