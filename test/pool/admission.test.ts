import assert from "node:assert/strict";
import { test } from "node:test";
import { LaunchError, PidpoolError } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { hold } from "../helpers/held.ts";
import { childPids, until } from "../helpers/processes.ts";
import { ProcessPool } from "../helpers/pool.ts";

test("no more children than concurrency are alive at any time, and all runs get their turn", async () => {
  await using pool = new ProcessPool({ concurrency: 3 });
  let alive = 0;
  let most = 0;
  pool.on("spawn", () => (most = Math.max(most, ++alive)));
  pool.on("exit", () => alive--);
  const held = Array.from({ length: 10 }, (_, i) => hold(pool, `${i}`));
  for (const [i, { run, release }] of held.entries()) {
    const left = held.length - i;
    await until(() => childPids().length === Math.min(3, left));
    assert.equal(pool.stats().running, Math.min(3, left));
    assert.equal(pool.queueSize, Math.max(0, left - 3));
    release();
    assert.equal((await run).stdout, `${i}`);
    assert.ok(childPids().length <= 3);
  }
  assert.equal(most, 3);
  assert.equal(pool.stats().running, 0);
});

test("runs that wait are started in the order of their calls", async () => {
  await using pool = new ProcessPool({ concurrency: 1 });
  const started: string[] = [];
  pool.on("spawn", ({ args }) => started.push(args[0] ?? ""));
  const ended: string[] = [];
  const words = ["a", "b", "c", "d", "e", "f"];
  await Promise.all(words.map(async (word) => ended.push((await pool.run("echo", [word])).stdout.trim())));
  assert.deepEqual(started, words);
  assert.deepEqual(ended, words);
});

test("spawned children do not count against concurrency", async () => {
  await using pool = new ProcessPool({ concurrency: 1, maxQueue: 0 });
  const children = [];
  for (let i = 0; i < 3; i++) children.push(await pool.spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] }));
  assert.equal(pool.stats().running, 0);
  assert.equal(pool.stats().children, 3);
  assert.equal((await pool.run("echo", ["free"])).stdout, "free\n");
  for (const { stdin } of children) stdin.end();
  await Promise.all(children.map(({ exited }) => exited));
  assert.equal(pool.stats().children, 0);
});

test("a launch that fails gives its place back", async () => {
  await using pool = new ProcessPool({ concurrency: 1 });
  const failures = Array.from({ length: 5 }, () => rejection(pool.run("/nonexistent/program"), LaunchError));
  assert.equal((await pool.run("echo", ["after"])).stdout, "after\n");
  await Promise.all(failures);
  assert.equal(pool.stats().running, 0);
  assert.equal(pool.stats().failed, 5);
});

test("a run beyond maxQueue rejects with ERR_QUEUE_FULL, and the others are not disturbed", async () => {
  await using pool = new ProcessPool({ concurrency: 2, maxQueue: 3 });
  const held = Array.from({ length: 5 }, (_, i) => hold(pool, `${i}`));
  const error = await rejection(pool.run("true"), PidpoolError);
  assert.equal(error.code, "ERR_QUEUE_FULL");
  assert.equal(error.message, "2 children run and 3 wait, as many as concurrency and maxQueue allow");
  assert.equal(pool.queueSize, 3);
  for (const { release } of held) release();
  const results = await Promise.all(held.map(({ run }) => run));
  assert.deepEqual(
    results.map(({ stdout }) => stdout),
    ["0", "1", "2", "3", "4"],
  );
  assert.equal((await pool.run("echo", ["room again"])).stdout, "room again\n");
});

test("with maxQueue: 0 a run starts at once or not at all", async () => {
  await using pool = new ProcessPool({ concurrency: 1, maxQueue: 0 });
  const { run, release } = hold(pool);
  await assert.rejects(pool.run("true"), { code: "ERR_QUEUE_FULL" });
  release();
  await run;
  await pool.run("true");
});

test("with concurrency: Infinity no run waits", async () => {
  await using pool = new ProcessPool({ concurrency: Infinity });
  const held = Array.from({ length: 40 }, () => hold(pool));
  assert.equal(pool.queueSize, 0);
  await until(() => childPids().length === 40);
  assert.equal(pool.needsDrain, false);
  for (const { release } of held) release();
  await Promise.all(held.map(({ run }) => run));
});

test("needsDrain comes when the first run has to wait, drain when none waits and a place is free", async () => {
  await using pool = new ProcessPool({ concurrency: 1 });
  const events: string[] = [];
  pool.on("needsDrain", () => events.push(`needsDrain ${pool.needsDrain} ${pool.queueSize}`));
  pool.on("drain", () => events.push(`drain ${pool.needsDrain} ${pool.queueSize} ${pool.stats().running}`));
  const first = hold(pool);
  assert.equal(pool.needsDrain, false);
  const second = hold(pool);
  const third = hold(pool);
  assert.equal(pool.needsDrain, true);
  assert.deepEqual(events, ["needsDrain true 1"]);
  first.release();
  await first.run;
  second.release();
  await second.run;
  // The last one runs: nothing waits, but there is no free place yet.
  assert.equal(pool.queueSize, 0);
  assert.equal(pool.needsDrain, true);
  third.release();
  await third.run;
  assert.equal(pool.needsDrain, false);
  await Promise.all([pool.run("true"), pool.run("true")]);
  assert.deepEqual(events, ["needsDrain true 1", "drain false 0 0", "needsDrain true 1", "drain false 0 0"]);
});

test("two pools do not share places, queues or children", async () => {
  await using one = new ProcessPool({ concurrency: 1 });
  await using two = new ProcessPool({ concurrency: 1 });
  const held = hold(one);
  assert.equal((await two.run("echo", ["free"])).stdout, "free\n");
  assert.equal(one.completed, 0);
  assert.equal(two.completed, 1);
  await two.destroy();
  held.release();
  assert.equal((await held.run).exit.reason, "exit");
});
