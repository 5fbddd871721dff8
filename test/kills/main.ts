// `npm run test:kills`: hosts under load are killed, and nothing of them may be
// left.
//
//   --kills N      in all (default 200)
//   --seed N       of the first kill; it gives those of the others (default: by chance)
//   --lanes N      hosts that live at the same time (default 2)
//   --nobody       hosts are user nobody's
//   --level NAME   only at this one; may be repeated
//   --longest MS   a host lives after its first pool, or after its services run (default 3000)
//   --each         tells of each kill
//   --slowness N   how much longer all takes than on a machine of today (default 1)
//
// Prints a line for each level, and for a kill that fails what was left and the
// command that repeats it.
import { execFileSync, fork } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Random } from "../chaos/random.ts";
import { AS_NOBODY, notNobody } from "../helpers/nobody.ts";
import { vmKernel } from "../helpers/vm.ts";
import { findRoot, makeLane, removeLane } from "./groups.ts";
import type { KillTold, LanePlan } from "./lane.ts";
import { LEVELS, MIXED } from "./levels.ts";

const { values: options } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string" },
    lanes: { type: "string", default: "2" },
    nobody: { type: "boolean", default: false },
    level: { type: "string", multiple: true, default: [] },
    longest: { type: "string", default: "3000" },
    each: { type: "boolean", default: false },
    slowness: { type: "string", default: "1" },
  },
});
const NOBODY = 65534;
const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 31));
const kills = Number(options.kills);
const lanes = Math.min(kills, Number(options.lanes));
if (options.nobody && notNobody !== false) {
  console.log(`skipped, ${notNobody}`);
  process.exit(0);
}

const dir = mkdtempSync(join(tmpdir(), "pidpool-kills-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
chmodSync(dir, 0o755);

function compileImp(): string {
  const file = join(dir, "imp");
  // Virtual machines have no compiler, but what scripts/vm/guest.mjs has compiled.
  const ready = fileURLToPath(new URL("../../compiled/imp", import.meta.url));
  if (vmKernel !== undefined && existsSync(ready)) {
    copyFileSync(ready, file);
  } else {
    const source = fileURLToPath(new URL("../../../test/chaos/imp.c", import.meta.url));
    execFileSync("cc", ["-O1", "-Wall", "-o", file, source], { stdio: ["ignore", "ignore", "inherit"] });
  }
  chmodSync(file, 0o755);
  return file;
}

/** Resolves once the lane has ended, to its exit code. */
function live(plan: LanePlan, told: (kill: KillTold) => void): Promise<number | null> {
  const lane = fork(fileURLToPath(new URL("lane.js", import.meta.url)), [JSON.stringify(plan)], {
    execArgv: ["--enable-source-maps"],
  });
  lane.on("message", (message) => told(message as KillTold));
  return new Promise((resolve) => lane.once("exit", resolve));
}

function quantile(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0);
}

function line(name: string, all: readonly KillTold[]): string {
  const sum = (of: (told: KillTold) => number): number => all.reduce((total, told) => total + of(told), 0);
  const took = all.map((told) => told.took).toSorted((a, b) => a - b);
  const failed = all.filter(({ failures }) => failures.length > 0).length;
  return (
    `${name}: ${all.length} kills, ${sum(({ processes }) => processes)} processes and ` +
    `${sum(({ namespaces }) => namespaces)} namespaces at that moment, ` +
    `${sum(({ tookOver }) => Number(tookOver))} sockets taken over, ` +
    `nothing left after ${quantile(took, 0.5)} ms (median), ${quantile(took, 1)} ms (longest), ${failed} failed`
  );
}

/** Of levels, to the user whose hosts they are. */
function refusals(): Readonly<Record<string, string>> {
  const program = fileURLToPath(new URL("refusals.js", import.meta.url));
  const [file, ...args] = [...(options.nobody ? AS_NOBODY : []), process.execPath, program];
  return JSON.parse(execFileSync(file, args, { encoding: "utf8" })) as Record<string, string>;
}

const imp = compileImp();
const refused = refusals();
for (const [name, reason] of Object.entries(refused)) console.log(`without ${name}: ${reason}`);
const found = await findRoot();
if ("reason" in found) console.log(`without cgroups: ${found.reason}`);
const random = new Random(seed);
const seeds = Array.from({ length: kills }, (_, n) => (n === 0 ? seed : random.seed()));
console.log(`seed ${seed}`);
const told: KillTold[] = [];
const same = [
  options.nobody ? " --nobody" : "",
  ...options.level.map((name) => ` --level ${name}`),
  ...(["longest", "slowness"] as const).map((name) => ` --${name} ${options[name]}`),
].join("");

function hear(kill: KillTold): void {
  told.push(kill);
  const { level, way, moment, processes, took } = kill;
  if (options.each && kill.failures.length === 0) {
    console.log(`${level}, ${way}, ${moment}: ${processes} processes, nothing left after ${took.toFixed(0)} ms`);
  }
  if (told.length % 50 === 0 && told.length < kills) console.log(`${told.length} of ${kills}`);
  if (kill.failures.length === 0) return;
  process.exitCode = 1;
  console.log(`${kill.level}, ${kill.way}, ${kill.moment}:`);
  for (const failure of kill.failures.slice(0, 20)) console.log(`  ${failure}`);
  console.log(`again: npm run test:kills -- --kills 1 --seed ${kill.seed}${same}`);
}

await Promise.all(
  Array.from({ length: lanes }, async (_, n) => {
    const own = join(dir, `lane-${n}`);
    mkdirSync(own);
    const groups =
      "root" in found ? await makeLane(found.root, `lane-${n}`, options.nobody ? NOBODY : undefined) : undefined;
    const plan: LanePlan = {
      seeds: seeds.filter((__, at) => at % lanes === n),
      nobody: options.nobody,
      levels: options.level,
      refused: Object.keys(refused),
      imp,
      dir: own,
      groups,
      longest: Number(options.longest),
      slowness: Number(options.slowness),
    };
    const code = await live(plan, hear);
    if (code !== 0) {
      process.exitCode = 1;
      console.log(`lane ${n} ended with ${code}`);
    }
    if (groups !== undefined) await removeLane(groups);
  }),
);
if ("root" in found) await found.root.dispose();
for (const name of [...LEVELS.map((level) => level.name), MIXED]) {
  const all = told.filter(({ level }) => level === name);
  if (all.length > 0) console.log(line(name, all));
}
console.log(line("all", told));
const ways = [...new Set(told.map(({ way }) => way))].toSorted();
const slowest = told.toSorted((a, b) => b.took - a.took)[0];
if (slowest !== undefined && slowest.lasting.length > 0) {
  console.log(`longest there, at ${slowest.level} by ${slowest.way}: ${slowest.lasting.slice(0, 3).join("; ")}`);
}
console.log(ways.map((way) => `${told.filter((kill) => kill.way === way).length} by ${way}`).join(", "));
if (told.length !== kills) {
  process.exitCode = 1;
  console.log(`${kills - told.length} kills are missing`);
}
