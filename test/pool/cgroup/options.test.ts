// The options `cgroup` and `limits`, through pools: each child in a group of its
// own, and nothing of it left behind.
// Without TEST_ISOLATION: children say pids, which in a pid namespace are not ours.
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { InvalidOptionError, type Isolation, type LaunchOptions, ProcessPool } from "pidpool";
import { givenGroup, groupIn, groupsBeneath, members, noCgroups } from "../../helpers/cgroups.ts";
import { rejection } from "../../helpers/errors.ts";
import { childPids, isAlive, openFds, until } from "../../helpers/processes.ts";
import { said } from "../../helpers/wait.ts";

/** Leaves a child in a session of its own, and another that init has adopted; says their pids. */
const LEAVER =
  "setsid sleep 1000 >/dev/null 2>&1 & a=$!; (setsid sleep 1000 >/dev/null 2>&1 & echo $!); echo $a; " +
  'until [ "$(cut -d" " -f6 /proc/$a/stat)" = $a ]; do :; done';

const pids = (lines: string): number[] => lines.trim().split("\n").map(Number);

describe("a cgroup for each child", { skip: noCgroups }, () => {
  test("run, spawn and commands have one of their own, at exec already", async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ cgroup });
    const own = "/proc/self/cgroup";
    const ran = await pool.run("cat", [own]);
    const spawned = await pool.spawn("cat", [own], { stdio: ["ignore", "pipe", "ignore"] });
    const wrote = await text(spawned.stdout);
    await spawned.exited;
    const command = pool.command("cat", [own], { check: false });
    const commanded = [await command.run(), await command.run({ timeout: 60_000 })];
    const groups = [ran.stdout, wrote, ...commanded.map(({ stdout }) => stdout)].map(groupIn);
    assert.equal(new Set(groups).size, 4);
    for (const group of groups) assert.equal(dirname(dirname(group)), cgroup);
    assert.equal(new Set(groups.map(dirname)).size, 1, "one group a pool");
    await pool.close();
    assert.deepEqual(groupsBeneath(cgroup), []);
  });

  test("under every level of isolation, and all that is left behind has died with its exit", async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ cgroup });
    const levels: Isolation[] = ["none", "shared", "contained", "private", { pid: "private" }, { user: "private" }];
    levels.push({ network: "shared" }, { pid: "private", mount: true, ipc: true, uts: true });
    for (const isolation of levels) {
      // No other pid is ours to look at in every /proc.
      const script = "cat /proc/self/cgroup; exec >&- 2>&-; setsid sleep 1000 & (setsid sleep 1000 &)";
      const { stdout } = await pool.run("sh", ["-c", script], { isolation });
      assert.equal(dirname(dirname(groupIn(stdout))), cgroup, JSON.stringify(isolation));
      assert.equal(groupsBeneath(cgroup).length, 1, "but for the pool's");
    }
    // What it is in is the root of its view.
    const { stdout } = await pool.run("cat", ["/proc/self/cgroup"], { isolation: { user: "private", cgroup: true } });
    assert.match(stdout, /^0::\/$/m);
  });

  test("what a child leaves behind is dead, and its group gone, when its exit is reported", async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ cgroup });
    let left: boolean | undefined;
    pool.on("exit", () => (left = groupsBeneath(cgroup).length > 1));
    const { stdout } = await pool.run("sh", ["-c", LEAVER]);
    assert.deepEqual(pids(stdout).map(isAlive), [false, false]);
    assert.equal(left, false);
    const child = await pool.spawn("sh", ["-c", LEAVER], { stdio: ["ignore", "pipe", "ignore"] });
    const wrote = text(child.stdout);
    const { reason } = await child.exited;
    assert.deepEqual([reason, pids(await wrote).some(isAlive), groupsBeneath(cgroup).length], ["exit", false, 1]);
  });

  test('with orphans: "keep" they live on, with their group, also after the pool', async (t) => {
    const cgroup = await givenGroup(t);
    const pool = new ProcessPool({ cgroup, orphans: "keep" });
    const { stdout } = await pool.run("sh", ["-c", LEAVER]);
    const clean = await pool.run("cat", ["/proc/self/cgroup"]);
    await pool.close();
    assert.deepEqual(pids(stdout).map(isAlive), [true, true]);
    const groups = groupsBeneath(cgroup);
    assert.equal(groups.length, 2, "the pool's and theirs");
    assert.deepEqual(new Set(members(`${cgroup}/${groups[1]}`)), new Set(pids(stdout)));
    assert.ok(!groups.some((group) => groupIn(clean.stdout).endsWith(group.split("/")[1] ?? "/")));
  });

  test("kill({ tree: true }) reaches all, and the report names the signal", async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ cgroup });
    const child = await pool.spawn("sh", ["-c", `${LEAVER}; echo ready; read line`], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const left = pids((await said(child.stdout, "ready")).replace("ready", ""));
    assert.deepEqual(left.map(isAlive), [true, true]);
    assert.equal(child.kill("SIGKILL", { tree: true }), true);
    const exit = await child.exited;
    assert.deepEqual([exit.status === "signaled" && exit.signal, exit.reason], ["SIGKILL", "signal"]);
    assert.deepEqual(left.map(isAlive), [false, false]);
    assert.equal(child.kill("SIGKILL", { tree: true }), false);
  });

  test("many at once leave no fd, no group and no process", async (t) => {
    const cgroup = await givenGroup(t);
    await new ProcessPool({ threads: 2, cgroup }).close();
    const fds = openFds().length;
    const pool = new ProcessPool({ concurrency: 32, cgroup });
    const script = "setsid sleep 1000 >/dev/null 2>&1 & exit 0";
    await Promise.all(Array.from({ length: 200 }, () => pool.run("sh", ["-c", script], { stdio: "ignore" })));
    assert.equal(groupsBeneath(cgroup).length, 1, "the pool's");
    await pool.close();
    assert.deepEqual(groupsBeneath(cgroup), []);
    assert.deepEqual(childPids(), []);
    // Worker threads close theirs a moment later.
    await until(() => openFds().length <= fds);
  });

  test("pools side by side have nothing to do with each other", async (t) => {
    const cgroup = await givenGroup(t);
    await using first = new ProcessPool({ cgroup });
    await using second = new ProcessPool({ cgroup });
    const [a, b] = await Promise.all([first, second].map((pool) => pool.spawn("sleep", ["1000"], { stdio: "ignore" })));
    assert.equal(groupsBeneath(cgroup).length, 4);
    await first.destroy();
    assert.deepEqual(
      [a, b].map((child) => child !== undefined && isAlive(child.pid)),
      [false, true],
    );
    assert.equal(groupsBeneath(cgroup).length, 2);
    await second.destroy();
    assert.deepEqual(groupsBeneath(cgroup), []);
  });
});

test("wrong values are refused by the name of their option", async () => {
  await using pool = new ProcessPool();
  const wrong: [string, LaunchOptions][] = [
    ["limits.memory", { limits: { memory: 1024 } }],
    ["limits.memory", { limits: { memory: "64M" as never } }],
    ["limits.pids", { limits: { pids: 0 } }],
    ["limits.pids", { limits: { pids: 1.5 } }],
    ["limits.cpuWeight", { limits: { cpuWeight: 10_001 } }],
    ["limits.cpuMax", { limits: { cpuMax: 0 } }],
    ["limits.cpuMax", { limits: { cpuMax: Number.NaN } }],
    ["limits.cpuMax.period", { limits: { cpuMax: { quota: 1000, period: 1 } } }],
    ["limits.cpuMax.quota", { limits: { cpuMax: { quota: 1 } } }],
    ["limits.io", { limits: { io: {} as never } }],
    ["limits.io[0]", { limits: { io: [{ device: "8:0" }] } }],
    ["limits.io[0].device", { limits: { io: [{ device: "", readOps: 1 }] } }],
    ["limits.io[0].readBytes", { limits: { io: [{ device: "8:0", readBytes: 0 }] } }],
    ["cgroup", { cgroup: "" }],
    ["cgroup", { cgroup: 1 as never }],
  ];
  for (const [option, options] of wrong) {
    const error = await rejection(pool.run("true", [], options), InvalidOptionError);
    assert.equal(error.option, option);
    assert.throws(() => pool.command("true", [], options), { option });
    assert.throws(() => new ProcessPool({ ...options }), { name: "InvalidOptionError" });
  }
});
