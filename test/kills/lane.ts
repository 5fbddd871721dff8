// One host after another, each killed: `node lane.js` with a LanePlan as its
// argument. Tells what came of each as a line of JSON.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, chmodSync, existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Random } from "../chaos/random.ts";
import { newMark } from "../helpers/marked.ts";
import { AS_NOBODY } from "../helpers/nobody.ts";
import { killAll } from "../helpers/processes.ts";
import type { LaneGroups } from "./groups.ts";
import { LEVELS, MIXED } from "./levels.ts";
import { HeldNamespaces, remains, type Belongings } from "./remains.ts";
import { becomeSubreaper, orphans, treeOf } from "./subreaper.ts";
import type { VictimPlan } from "./victim.ts";

/** What a lane is told. */
export interface LanePlan {
  /** Of each kill. */
  readonly seeds: readonly number[];
  readonly nobody: boolean;
  /** Only these levels. */
  readonly levels: readonly string[];
  /** And none of these. */
  readonly refused: readonly string[];
  readonly imp: string;
  /** An empty directory of its own. */
  readonly dir: string;
  readonly groups: LaneGroups | undefined;
  /** How many ms a host lives after it has made its first pool, at most. */
  readonly longest: number;
  /** How much longer all takes than on a machine of today. */
  readonly slowness: number;
}

/** What came of one kill. */
export interface KillTold {
  readonly seed: number;
  readonly level: string;
  readonly way: string;
  /** When it was killed, in words. */
  readonly moment: string;
  /** Of its tree, at that moment. */
  readonly processes: number;
  readonly namespaces: number;
  /** Whether its standing sockets were served, after it took a file at their path over. */
  readonly listened: boolean;
  readonly tookOver: boolean;
  /** From its end until nothing was left, in ms; and what was there until then. */
  readonly took: number;
  readonly lasting: readonly string[];
  readonly failures: readonly string[];
}

const plan = JSON.parse(process.argv[2] ?? "") as LanePlan;
/** Less than a child lives by itself. On a machine with much else to do, the kernel itself takes seconds to free namespaces. */
const PATIENCE = Math.min(60_000 * plan.slowness, 400_000);

/** How it dies: a signal, or a word to it. */
const WAYS = [
  [60, "SIGKILL"],
  [8, "SIGKILL while stopped"],
  [8, "SIGKILL to its group"],
  [8, "thread"],
  [4, "abort"],
  [3, "heap"],
  [3, "SIGSEGV"],
  [3, "SIGABRT"],
  [3, "SIGTERM"],
] as const;
type Way = (typeof WAYS)[number][1];

/** From when its time is counted: its start, the first pool, the moment at which a lot is going on. */
const SINCE = [
  [20, "start"],
  [40, "living"],
  [40, "listening"],
] as const;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

function start(victim: VictimPlan, tmp: string): ChildProcess {
  const node = [
    process.execPath,
    "--max-old-space-size=64",
    fileURLToPath(new URL("victim.js", import.meta.url)),
    JSON.stringify(victim),
  ];
  // In a group of its own beside the one for its pools, as a service of systemd with Delegate=.
  const enter = plan.groups === undefined ? "" : `echo $$ >${plan.groups.main}/cgroup.procs && `;
  const user = plan.nobody ? AS_NOBODY : [];
  const env = { PATH: process.env["PATH"], TMPDIR: tmp, PIDPOOL_MARK: victim.mark };
  return spawn("sh", ["-c", `ulimit -c 0; ${enter}exec "$@"`, "sh", ...user, ...node], {
    stdio: ["pipe", "pipe", "pipe"],
    env,
    // Of a group of its own, so that the group can be killed without us.
    detached: true,
  });
}

async function die(child: ChildProcess, way: Way): Promise<void> {
  const { pid = 0 } = child;
  switch (way) {
    case "SIGKILL while stopped":
      child.kill("SIGSTOP");
      await sleep(5);
      child.kill("SIGKILL");
      return;
    case "SIGKILL to its group":
      killAll([-pid]);
      return;
    case "thread":
    case "abort":
    case "heap":
      child.stdin?.write(`${way}\n`);
      return;
    default:
      child.kill(way);
  }
}

async function kill(seed: number, port: number, last: boolean): Promise<KillTold> {
  const random = new Random(seed);
  const { dir, imp, groups, slowness } = plan;
  const usable = LEVELS.filter(({ name, cgroup }) => (!cgroup || groups !== undefined) && !plan.refused.includes(name));
  const names = [...usable.map(({ name }) => name), MIXED, MIXED].filter(
    (name) => plan.levels.length === 0 || plan.levels.includes(name),
  );
  const level = random.pick(names);
  const way = random.weighted(WAYS);
  // The last of a lane is sure to serve its standing sockets, at a path that all others have left behind.
  const since = last ? "listening" : random.weighted(SINCE);
  const length = since === "start" ? 250 : plan.longest;
  const after = Math.round(random.next() ** 2 * length * slowness);
  const mark = newMark();
  const tmp = join(dir, "tmp");
  const socket = join(dir, "files/socket");
  const stale = existsSync(socket);
  const child = start(
    {
      seed: random.seed(),
      levels: level === MIXED ? usable : usable.filter(({ name }) => name === level),
      mark: mark.PIDPOOL_MARK,
      imp,
      dir: join(dir, "files"),
      port,
      cgroup: groups?.pools ?? "",
      limited: groups?.limited ?? false,
    },
    tmp,
  );
  const failures: string[] = [];
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin?.on("error", () => undefined);
  const said = new Set<string>();
  const heard = new Map<string, () => void>();
  const { stdout } = child;
  if (stdout === null) throw new Error("its stdout is a pipe");
  createInterface({ input: stdout }).on("line", (line) => {
    said.add(line);
    heard.get(line)?.();
  });
  const ended = new Promise<string>((resolve) => child.once("exit", (code, signal) => resolve(String(signal ?? code))));
  const hear = (line: string): Promise<unknown> =>
    Promise.race([said.has(line) ? undefined : new Promise<void>((resolve) => heard.set(line, resolve)), ended]);
  if (since !== "start") await hear(since);
  await Promise.race([sleep(after), ended]);
  const { pid = 0 } = child;
  const namespaces = new HeldNamespaces(pid);
  const processes = treeOf(pid).length;
  await die(child, way);
  const overdue = sleep(PATIENCE, "it does not die", { ref: false });
  const end = await Promise.race([ended, overdue]);
  if (end === "3" || end === "0" || end === "1") failures.push(`the host ended with ${end}: ${stderr.slice(-2000)}`);
  if (end === "it does not die") {
    failures.push(end);
    child.kill("SIGKILL");
    await ended;
  }
  const belongings: Belongings = {
    mark,
    pid,
    dir: join(dir, "files"),
    tmp,
    cgroup: groups?.pools ?? "",
    port,
    namespaces,
  };
  const began = performance.now();
  let left = remains(belongings);
  let lasting = left;
  for (let pause = 5; left.length > 0 && performance.now() - began < PATIENCE; pause = Math.min(pause * 1.5, 200)) {
    lasting = left;
    await sleep(pause);
    left = remains(belongings);
  }
  const took = performance.now() - began;
  failures.push(...left.map((what) => `left: ${what}`));
  const { size } = namespaces;
  namespaces.close();
  // What one has left must not be blamed on the next.
  for (let rounds = 0; left.length > 0 && orphans().length > 0 && rounds < 100; rounds++) {
    killAll(orphans());
    await sleep(20);
  }
  return {
    seed,
    level,
    way,
    moment: `${after} ms after ${since}`,
    processes,
    namespaces: size,
    listened: said.has("listening"),
    tookOver: stale && said.has("listening"),
    took,
    lasting,
    failures,
  };
}

becomeSubreaper();
// Who is told what to do, and is not any more, has nothing to do.
const abandoned = (): void => {
  killAll(orphans());
  process.exit(1);
};
process.once("disconnect", abandoned);
for (const name of ["tmp", "files"]) {
  mkdirSync(join(plan.dir, name));
  chmodSync(join(plan.dir, name), 0o777);
}
const port = await freePort();
for (const [n, seed] of plan.seeds.entries()) {
  const told = await kill(seed, port, n === plan.seeds.length - 1 && n > 0);
  process.send?.(told);
}
process.off("disconnect", abandoned);
process.disconnect?.();
