// Children in groups that are ended by their pool, in whatever state, and pools
// that end with Node.
// Without TEST_ISOLATION: children say pids, which in a pid namespace are not ours.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ExitError, type PidpoolError, ProcessPool } from "pidpool";
import { givenGroup, groupsBeneath, noCgroups } from "../../helpers/cgroups.ts";
import { rejection } from "../../helpers/errors.ts";
import { startFixture } from "../../helpers/fixture.ts";
import { allChildPids, childPids, isAlive, until } from "../../helpers/processes.ts";
import { running, said } from "../../helpers/wait.ts";

/** Lives on with a child that has left its session, whose pid it says. */
const TREE = "setsid sleep 1000 >/dev/null 2>&1 & echo $!; trap : TERM; while :; do sleep 1000 >/dev/null 2>&1; done";

describe("the end of children in groups", { skip: noCgroups }, () => {
  test("a timeout ends the whole tree", async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ cgroup });
    const error = await rejection(pool.run("sh", ["-c", TREE], { timeout: 100, killAfter: 20 }), ExitError);
    assert.equal(error.exit.reason, "timeout");
    assert.equal(isAlive(Number(error.result.stdout)), false);
    assert.equal(groupsBeneath(cgroup).length, 1);
  });

  test("an abort ends the whole tree", async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ cgroup });
    const control = new AbortController();
    const options = { signal: control.signal, killSignal: "SIGKILL", outputGrace: 0 } as const;
    const { run } = await running(pool, () => pool.run("sh", ["-c", TREE], options).catch((reason: unknown) => reason));
    control.abort();
    const error = await run;
    assert.ok(error instanceof ExitError);
    assert.equal(error.exit.reason, "aborted");
    assert.equal(groupsBeneath(cgroup).length, 1);
  });

  test("destroy() ends all trees, and removes all groups", async (t) => {
    const cgroup = await givenGroup(t);
    const pool = new ProcessPool({ cgroup });
    const children = await Promise.all(
      Array.from({ length: 8 }, () => pool.spawn("sh", ["-c", TREE], { stdio: ["ignore", "pipe", "ignore"] })),
    );
    const left = await Promise.all(children.map(async ({ stdout }) => Number(await said(stdout, "\n"))));
    assert.deepEqual([left.every(isAlive), groupsBeneath(cgroup).length], [true, 9]);
    await pool.destroy();
    assert.deepEqual([left.some(isAlive), groupsBeneath(cgroup), childPids()], [false, [], []]);
  });

  test("close() waits for children, whose groups are still being made too", async (t) => {
    const cgroup = await givenGroup(t);
    const pool = new ProcessPool({ cgroup });
    const runs = Array.from({ length: 4 }, () => pool.run("echo", ["done"]));
    await pool.close();
    assert.deepEqual(groupsBeneath(cgroup), []);
    for (const { stdout } of await Promise.all(runs)) assert.equal(stdout, "done\n");
    await assert.rejects(pool.run("true"), { code: "ERR_CLOSED" });
  });

  test("destroy() while groups are being made leaves nothing", async (t) => {
    const cgroup = await givenGroup(t);
    // The pool's group, its guardian, and the group of the launch are made one after the other.
    for (const warm of [false, true]) {
      for (let turns = 0; turns < 25; turns++) {
        const pool = new ProcessPool({ cgroup, threads: 1 });
        if (warm) await pool.run("true");
        const calls = [pool.run("sleep", ["1000"]), pool.spawn("sleep", ["1000"], { stdio: "ignore" })];
        const ends = calls.map((call) =>
          call.then(
            (value) => ("exited" in value ? value.exited.then(({ reason }) => reason) : "resolved"),
            (error: unknown) => (error instanceof ExitError ? error.exit.reason : (error as PidpoolError).code),
          ),
        );
        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
        await pool.destroy();
        assert.deepEqual([groupsBeneath(cgroup), childPids()], [[], []], `after ${turns} turns`);
        for (const end of await Promise.all(ends)) assert.match(end, /^(ERR_CLOSED|shutdown)$/);
      }
    }
  });

  test("a guardian that somebody kills is replaced, and ends with its pool", async (t) => {
    const cgroup = await givenGroup(t);
    const pool = new ProcessPool({ cgroup });
    const guardians = (): number[] =>
      allChildPids().filter((pid) => isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(cgroup));
    const child = await pool.spawn("sleep", ["1000"], { stdio: "ignore" });
    const killed = new Set<number>();
    for (let i = 0; i < 3; i++) {
      await until(() => guardians().some((pid) => !killed.has(pid)));
      const pid = guardians().find((each) => !killed.has(each)) ?? 0;
      killed.add(pid);
      process.kill(pid, "SIGKILL");
    }
    await until(() => guardians().some((pid) => !killed.has(pid)));
    assert.equal(isAlive(child.pid), true);
    await pool.destroy();
    assert.deepEqual([groupsBeneath(cgroup), childPids()], [[], []]);
  });

  test("an abort while the group is being made leaves nothing, and the pool goes on", async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ cgroup });
    for (let turns = 0; turns < 20; turns++) {
      const control = new AbortController();
      const run = pool.run("sleep", ["1000"], { signal: control.signal });
      const end = run.catch((error: unknown) => error);
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      control.abort();
      const error = await end;
      if (error instanceof ExitError) assert.equal(error.exit.reason, "aborted");
      else assert.equal((error as PidpoolError).code, "ERR_ABORTED");
    }
    assert.equal((await pool.run("echo", ["on"])).stdout, "on\n");
    // What was being made is given back without anybody waiting for it.
    await until(() => groupsBeneath(cgroup).length === 1);
    assert.equal(pool.stats().children, 0);
  });
});

describe("Node's own end", { skip: noCgroups }, () => {
  for (const mode of ["idle", "exit", "exit-at-once", "throw"]) {
    test(`mode "${mode}" leaves neither process nor group`, async (t) => {
      const cgroup = await givenGroup(t);
      const { code, stdout, stderr } = await startFixture("grouped", [mode, cgroup]).ended;
      assert.equal(code, mode === "throw" ? 1 : 0, stderr);
      await until(() => groupsBeneath(cgroup).length === 0);
      for (const pid of stdout.split("\n").filter(Boolean)) assert.equal(isAlive(Number(pid)), false);
    });
  }
});
