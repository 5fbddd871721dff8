import assert from "node:assert/strict";
import { test } from "node:test";
import { LaunchError, type ChildInfo, type ExitReport } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { hold } from "../helpers/held.ts";
import { ProcessPool } from "../helpers/pool.ts";

test("a pool that has done nothing has stats of zeros and no thread", async () => {
  await using pool = new ProcessPool();
  const none = { count: 0, average: 0, stddev: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };
  assert.deepEqual(pool.stats(), {
    running: 0,
    queueSize: 0,
    children: 0,
    completed: 0,
    failed: 0,
    retried: 0,
    runTime: none,
    waitTime: none,
    utilization: 0,
    supervisors: [],
  });
});

test("stats count what runs, waits, has completed and has failed", async () => {
  await using pool = new ProcessPool({ concurrency: 2, isolation: "none" });
  const held = [hold(pool), hold(pool), hold(pool)];
  const child = await pool.spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  const now = pool.stats();
  assert.deepEqual([now.running, now.queueSize, now.children, now.completed], [2, 1, 3, 0]);
  assert.equal(
    now.supervisors.reduce((sum, { children }) => sum + children, 0),
    3,
  );
  for (const { release } of held) release();
  await Promise.all(held.map(({ run }) => run));
  child.stdin.end();
  await child.exited;
  await pool.run("false", [], { check: false });
  await rejection(pool.run("/nonexistent"), LaunchError);
  const then = pool.stats();
  assert.deepEqual(
    [then.running, then.queueSize, then.children, then.completed, then.failed, then.retried],
    [0, 0, 0, 5, 1, 0],
  );
  assert.equal(pool.completed, 5);
  for (const { children, launching, stalledMs, deaths } of then.supervisors) {
    assert.deepEqual([children, launching, stalledMs, deaths], [0, 0, 0, 0]);
  }
});

test("histograms have each completed child's time and each run's wait", async () => {
  await using pool = new ProcessPool({ concurrency: 1 });
  const results = await Promise.all(Array.from({ length: 8 }, () => pool.run("true")));
  const { runTime, waitTime, utilization } = pool.stats();
  for (const summary of [runTime, waitTime]) {
    assert.equal(summary.count, 8);
    assert.ok(summary.min > 0);
    assert.ok(
      summary.min <= summary.p50 &&
        summary.p50 <= summary.p90 &&
        summary.p90 <= summary.p99 &&
        summary.p99 <= summary.max,
    );
    assert.ok(summary.min <= summary.average && summary.average <= summary.max);
  }
  // The histogram keeps three significant figures.
  const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) <= 0.002 + b / 100, `${a}, ${b}`);
  near(runTime.max, Math.max(...results.map(({ exit }) => exit.wallMs)));
  near(waitTime.max, Math.max(...results.map(({ waitMs }) => waitMs)));
  assert.ok(utilization > 0 && utilization <= 1);
});

test("the event spawn tells of every child that started, exit of every one that ended", async () => {
  await using pool = new ProcessPool();
  const spawned: ChildInfo[] = [];
  const exited: { report: ExitReport; child: ChildInfo }[] = [];
  pool.on("spawn", (child) => spawned.push(child));
  pool.on("exit", (report, child) => exited.push({ report, child }));
  const run = await pool.run("sh", ["-c", "exit 3"], { check: false });
  const spawn = await pool.spawn("true", [], { stdio: "ignore" });
  await spawn.exited;
  await rejection(pool.run("/nonexistent"), LaunchError);
  const infos = [
    { pid: run.pid, file: "sh", args: ["-c", "exit 3"] },
    { pid: spawn.pid, file: "true", args: [] },
  ];
  assert.deepEqual(spawned, infos);
  assert.deepEqual(
    exited.map(({ child }) => child),
    infos,
  );
  assert.deepEqual(
    exited.map(({ report }) => report),
    [run.exit, spawn.exit],
  );
});

test("a Process emits exit once, with the report that exited resolves to", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  const reports: ExitReport[] = [];
  child.on("exit", (report) => reports.push(report));
  assert.equal(child.exit, undefined);
  child.stdin.end();
  assert.deepEqual(reports, []);
  const exit = await child.exited;
  assert.deepEqual(reports, [exit]);
  assert.equal(child.exit, exit);
  assert.equal((await child.result).exit, exit);
});

test("work spreads over as many supervisors as threads says, and no more", async () => {
  for (const threads of [1, 3]) {
    await using pool = new ProcessPool({ threads, concurrency: 24, isolation: "none" });
    const held = Array.from({ length: 24 }, () => hold(pool));
    const { supervisors } = pool.stats();
    assert.equal(supervisors.length, threads);
    assert.equal(
      supervisors.reduce((sum, { children }) => sum + children, 0),
      24,
    );
    for (const { children } of supervisors) assert.ok(children > 0);
    for (const { release } of held) release();
    await Promise.all(held.map(({ run }) => run));
  }
});
