// The guardian, which keeps the pool's pid namespace: what happens when it is killed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { IsolationError, PidpoolError, ProcessPool } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { startFixture } from "../helpers/fixture.ts";
import { allChildPids, guardianPids, isAlive, openFds, until } from "../helpers/processes.ts";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

/** The one guardian that runs. */
function guardian(): number {
  const [pid = 0, ...others] = guardianPids().filter(isAlive);
  assert.deepEqual(others, []);
  assert.notEqual(pid, 0);
  return pid;
}

test(
  "killed while children run: they end with reason guardian-died, the pool says so, and goes on",
  { skip: refused },
  async () => {
    await using pool = new ProcessPool({ isolation: "contained" });
    const errors: PidpoolError[] = [];
    pool.on("error", (error) => errors.push(error));
    const children = [];
    for (let i = 0; i < 3; i++) children.push(await pool.spawn("sleep", ["1000"], { stdio: "ignore" }));
    const first = guardian();
    process.kill(first, "SIGKILL");
    for (const { exited } of children) {
      const exit = await exited;
      assert.deepEqual([exit.reason, exit.status === "signaled" && exit.signal], ["guardian-died", "SIGKILL"]);
    }
    assert.equal((await pool.run("echo", ["next"])).stdout, "next\n");
    await until(() => errors.length > 0);
    assert.deepEqual(
      errors.map((error) => [error.code, error instanceof IsolationError && error.stage]),
      [["ERR_ISOLATION", "guardian"]],
    );
    assert.match(errors[0]?.message ?? "", /killed by SIGKILL/);
    assert.notEqual(guardian(), first);
  },
);

test("a guardian of one child alone is killed: the child's report says so", { skip: refused }, async () => {
  await using pool = new ProcessPool({ isolation: { pid: "private" } });
  const child = await pool.spawn("sleep", ["1000"], { stdio: "ignore" });
  process.kill(guardian(), "SIGKILL");
  const exit = await child.exited;
  assert.deepEqual([exit.reason, exit.status === "signaled" && exit.signal], ["guardian-died", "SIGKILL"]);
  assert.deepEqual(guardianPids(), []);
});

test("a tree that is killed on purpose did not lose its guardian", { skip: refused }, async () => {
  await using pool = new ProcessPool({ isolation: { pid: "private" } });
  const child = await pool.spawn("sleep", ["1000"], { stdio: "ignore" });
  child.kill("SIGKILL", { tree: true });
  assert.equal((await child.exited).reason, "signal");
});

for (const isolation of ["contained", { pid: "private" }] as const) {
  test(
    `${JSON.stringify(isolation)}: killed again and again in a storm of launches: each is answered once, nothing stays`,
    { skip: refused },
    async () => {
      const pool = new ProcessPool({ isolation, threads: 1, concurrency: 8 });
      await pool.run("true");
      const before = openFds().length;
      const seen = { answers: 0 };
      const runs = Array.from({ length: 300 }, async () => {
        const outcome = await pool.run("true", [], { check: false }).catch((error: unknown) => error);
        seen.answers++;
        if (outcome instanceof Error) assert.ok(outcome instanceof PidpoolError, String(outcome));
        else assert.match((outcome as { exit: { reason: string } }).exit.reason, /^(exit|guardian-died|signal)$/);
      });
      // At every kind of moment, from its exec on.
      let kills = 0;
      while (kills < 25 && seen.answers < 290) {
        const victim = guardianPids().find(isAlive);
        if (victim !== undefined) {
          try {
            process.kill(victim, "SIGKILL");
            kills++;
          } catch {
            // It has ended meanwhile.
          }
        }
        const now = seen.answers;
        await (kills % 3 === 0 ? until(() => seen.answers > now) : new Promise((resolve) => setImmediate(resolve)));
      }
      await Promise.all(runs);
      assert.equal(seen.answers, 300);
      assert.ok(kills > 3);
      assert.equal((await pool.run("echo", ["on"])).stdout, "on\n");
      await until(() => openFds().length <= before && guardianPids().length <= 1);
      const { failed, completed, children } = pool.stats();
      assert.deepEqual([failed + completed, children], [302, 0]);
      await pool.destroy();
      assert.deepEqual(allChildPids(), []);
    },
  );

  test(`${JSON.stringify(isolation)}: destroy() while the guardian starts answers all and leaves nothing`, async () => {
    for (let turns = 0; turns < 12; turns++) {
      const pool = new ProcessPool({ isolation });
      const calls = [pool.run("sleep", ["1000"]), pool.spawn("sleep", ["1000"]), pool.run("true")];
      const settled = Promise.allSettled(calls);
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      await pool.destroy();
      await settled;
      assert.deepEqual(allChildPids(), []);
    }
  });

  test(
    `${JSON.stringify(isolation)}: an abort while the launch waits for its guardian`,
    { skip: refused },
    async () => {
      await using pool = new ProcessPool({ isolation });
      for (let turns = 0; turns < 12; turns++) {
        const stop = new AbortController();
        const run = rejection(pool.run("sleep", ["1000"], { signal: stop.signal }), PidpoolError);
        for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
        stop.abort();
        assert.match((await run).code, /^ERR_(ABORTED|EXIT)$/);
      }
      assert.equal((await pool.run("echo", ["on"])).stdout, "on\n");
      await until(() => guardianPids().length <= 1);
    },
  );
}

test(
  "an idle pool does not keep Node alive, process.exit() ends at once, and no guardian is left",
  { skip: refused },
  async () => {
    for (const how of ["idle", "exit", "idle private", "exit private", "throw"]) {
      const fixture = startFixture("guarded", [how]);
      const pids = (await fixture.line()).split(" ").map(Number);
      const { code } = await fixture.ended;
      assert.equal(code, how === "throw" ? 1 : how.startsWith("exit") ? 7 : 0, how);
      await until(() => !pids.some(isAlive));
    }
  },
);
