// A host that lives under load until it is killed: `node victim.js` with a
// VictimPlan as its argument. Pools come and go, with runs, pipes, services,
// groups, warm spares and trees, all at once. It says "living" before the first
// pool is made, and "listening" once its standing sockets are served. A word on
// its stdin is a way to die. It ends with 3 where something fails that nothing
// should have made fail.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { PidpoolError, ProcessPool, type LaunchOptions, type Service } from "pidpool";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { Random } from "../chaos/random.ts";
import type { Level } from "./levels.ts";

/** What a victim is told. */
export interface VictimPlan {
  readonly seed: number;
  readonly levels: readonly Level[];
  /** In the environment of every child. */
  readonly mark: string;
  /** The compiled test/chaos/imp.c. */
  readonly imp: string;
  /** For files, and for the socket. */
  readonly dir: string;
  readonly port: number;
  /** Where levels with cgroups have them; empty where there are none. */
  readonly cgroup: string;
  /** Whether memory and pids can be limited there. */
  readonly limited: boolean;
}

/** A pool that is still to be used. */
interface Yard {
  readonly pool: ProcessPool;
  over: boolean;
}

const plan = JSON.parse(process.argv[2] ?? "") as VictimPlan;
const random = new Random(plan.seed);
const { imp, dir } = plan;

const open = new Set<ProcessPool>();

/** What ends children, services and pools whose end was asked for, or brought about. */
const EXPECTED = new Set(["ERR_CLOSED", "ERR_EXIT", "ERR_ABORTED", "ERR_SERVICE_FAILED", "ERR_START_LIMIT"]);

function check(error: unknown): void {
  if (error instanceof PidpoolError && EXPECTED.has(error.code)) return;
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`, () => process.exit(3));
}

/** At one of the levels of this host. */
function place(): LaunchOptions & { readonly trees: boolean } {
  const { isolation, trees, cgroup } = random.pick(plan.levels);
  const limits = plan.limited ? { memory: 256 * 2 ** 20, pids: 100 } : {};
  return { isolation, cwd: "/", trees, ...(cgroup ? { cgroup: plan.cgroup, limits } : {}) };
}

function run({ pool }: Yard): Promise<unknown> {
  const { trees, ...options } = place();
  const go = (args: readonly (string | number)[], more: object = {}): Promise<unknown> =>
    pool.run(imp, args.map(String), { ...options, ...more, check: false });
  switch (random.int(0, trees ? 9 : 6)) {
    case 0:
      return go(["write", random.pick([100, 70_000, 300_000])]);
    case 1:
      return go(["cat"], { input: "y".repeat(random.pick([10, 300_000])) });
    case 2:
      return go(["stubborn", 600_000], { timeout: random.int(1, 20), killAfter: random.int(0, 20) });
    case 3:
      return go(["write", 70_000], { stdio: ["ignore", { file: `${dir}/out-${random.int(0, 7)}` }, "ignore"] });
    case 4:
      return go(["serve", 5], { notify: true });
    case 5:
      return go(["sleep", random.int(0, 20)], { session: random.pick([true, "group"]) });
    case 6:
      return go(["flood"], { maxOutput: 1000 });
    default:
      return go(["tree", 3], { stdio: "ignore" });
  }
}

async function runs(yard: Yard): Promise<void> {
  while (!yard.over) await run(yard).catch(check);
}

/** A child with pipes, for which nobody waits. */
async function pipes({ pool }: Yard): Promise<void> {
  const { trees: _, ...options } = place();
  const child = await pool.spawn(imp, [random.pick(["cat", "flood"])], options);
  for (const stream of child.stdio) stream?.on("error", () => undefined);
  child.stdin?.write("w".repeat(200_000));
  await sleep(random.int(0, 150));
  child.kill("SIGKILL");
  for (const stream of child.stdio) stream?.destroy();
}

/** Serves what stands; its processes crash now and then. */
function listener({ pool }: Yard): Service {
  const { trees: _, ...options } = place();
  const service = pool.service({
    ...options,
    name: "listener",
    file: imp,
    args: random.pick([["serve"], ["serve", "60"]]),
    ready: "notify",
    replicas: 2,
    stdio: "ignore",
    stopTimeout: 30,
    listen: [{ port: plan.port, host: "127.0.0.1" }, { path: `${dir}/socket` }],
    restart: { policy: "always", backoff: { initial: 1, max: 10 }, startLimit: { burst: Infinity } },
  });
  service.ready.then(() => console.log("listening"), check);
  return service;
}

function group({ pool }: Yard): void {
  const part = (name: string, args: readonly string[]): object => {
    const { trees: _, ...options } = place();
    return { ...options, name, file: imp, args, ready: "notify", stdio: "ignore", stopTimeout: 30 };
  };
  const parts = [part("first", ["serve"]), part("second", ["serve", "80"])];
  const made = pool.group({
    name: "group",
    strategy: "one_for_all",
    intensity: 1000,
    period: 1000,
    parts: parts as never,
  });
  made.ready.catch(check);
}

async function jobs({ pool }: Yard): Promise<void> {
  const { trees: _, ...options } = place();
  const warm = pool.command(imp, ["cat"], options).warm({ spares: 3, backoff: { initial: 1, max: 20 } });
  for (let n = 0; n < 1000; n++) await warm.run({ input: "z".repeat(100) });
}

/** One pool after another. Only the first kind has what there can be once only. */
async function pools(first: boolean): Promise<never> {
  for (;;) {
    const pool = new ProcessPool({
      threads: random.int(1, 2),
      concurrency: 16,
      env: { PIDPOOL_MARK: plan.mark },
      killAfter: 30,
    });
    // Of threads that die on purpose.
    pool.on("error", (error) => error.code === "ERR_SUPERVISOR" || check(error));
    open.add(pool);
    const yard: Yard = { pool, over: false };
    const standing = first ? listener(yard) : undefined;
    group(yard);
    jobs(yard).catch(check);
    for (let n = 0; n < 5; n++) pipes(yard).catch(check);
    for (let n = 0; n < 12; n++) void runs(yard);
    if (random.chance(0.3)) setTimeout(() => killThread(pool), random.int(0, 300));
    await sleep(random.int(50, 1500));
    // Where all takes long, no pool would ever serve anything.
    if (random.chance(0.5)) await standing?.ready.catch(check);
    yard.over = true;
    await (random.chance(0.5) ? pool.close() : pool.destroy()).catch(check);
    open.delete(pool);
  }
}

/** A message that it does not know is an exception in its loop. */
function killThread(pool: ProcessPool): void {
  supervisorsOf(pool)?.all[0]?.send({ slot: "none" } as never);
}

const WAYS: Readonly<Record<string, () => void>> = {
  abort: () => process.abort(),
  heap: () => {
    for (const all: unknown[] = []; ;) all.push(Array.from({ length: 10_000 }, () => ({})));
  },
  thread: () => {
    for (const pool of open) killThread(pool);
    process.kill(process.pid, "SIGKILL");
  },
};

process.on("unhandledRejection", check);
createInterface({ input: process.stdin }).on("line", (word) => WAYS[word]?.());
console.log("living");
await Promise.all([pools(true), pools(false)]);
