import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { ExitError, PidpoolError } from "pidpool";
import { firstLine, rejection } from "../helpers/errors.ts";
import { childPids, until } from "../helpers/processes.ts";
import { running } from "../helpers/wait.ts";
import { ProcessPool } from "../helpers/pool.ts";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

test("a signal that was aborted before rejects with ERR_ABORTED, and nothing is started", async () => {
  await using pool = new ProcessPool();
  const reason = new Error("why");
  for (const start of [
    pool.run("true", [], { signal: AbortSignal.abort(reason) }),
    pool.spawn("true", [], { signal: AbortSignal.abort(reason) }),
  ]) {
    const error = await rejection(start, PidpoolError);
    assert.equal(error.code, "ERR_ABORTED");
    assert.equal(error.cause, reason);
    assert.equal(error.message, '"true" was aborted before it was started');
  }
  assert.equal(pool.stats().children, 0);
  assert.equal(pool.completed, 0);
  assert.deepEqual(pool.stats().supervisors, []);
});

test("an abort takes a run out of the queue, and the others go on", async () => {
  await using pool = new ProcessPool({ concurrency: 1 });
  const stop = new AbortController();
  const child = pool.run("cat", [], { input: "first" });
  const queued = rejection(pool.run("echo", ["never"], { signal: stop.signal }), PidpoolError);
  const last = pool.run("echo", ["last"]);
  assert.equal(pool.queueSize, 2);
  stop.abort();
  assert.equal(pool.queueSize, 1);
  const error = await queued;
  assert.equal(error.code, "ERR_ABORTED");
  assert.equal((error.cause as Error).name, "AbortError");
  assert.equal((await child).stdout, "first");
  assert.equal((await last).stdout, "last\n");
  assert.equal(listeners(stop.signal), 0);
});

test("an abort ends a running child with killSignal, and the reason is the error's cause", async () => {
  await using pool = new ProcessPool();
  const stop = new AbortController();
  const { run } = await running(pool, () =>
    rejection(pool.run("sleep", ["1000"], { signal: stop.signal, killSignal: "SIGINT" }), ExitError),
  );
  const reason = new Error("no longer wanted");
  stop.abort(reason);
  const error = await run;
  assert.equal(error.exit.reason, "aborted");
  assert.equal(error.exit.status === "signaled" && error.exit.signal, "SIGINT");
  assert.equal(error.cause, reason);
  assert.equal(firstLine(error), '"sleep" was aborted (was killed by SIGINT)');
  assert.equal(listeners(stop.signal), 0);
});

test("an abort at any moment of a launch ends it: no child is left, and each promise is settled once", async () => {
  await using pool = new ProcessPool({ concurrency: 4 });
  await pool.run("true");
  let before = 0;
  for (let i = 0; i < 40; i++) {
    const stop = new AbortController();
    const run = pool.run("sleep", ["1000"], { signal: stop.signal });
    // From at once to long after the launch.
    if (i % 4 === 1) await new Promise((resolve) => setImmediate(resolve));
    if (i % 4 === 2) await new Promise((resolve) => setTimeout(resolve, 1));
    if (i % 4 === 3) await until(() => childPids().length > 0);
    stop.abort();
    const error = await rejection(run, PidpoolError);
    if (error instanceof ExitError) assert.equal(error.exit.reason, "aborted");
    else assert.equal(error.code, "ERR_ABORTED");
    if (!(error instanceof ExitError)) before++;
    assert.deepEqual(childPids(), []);
  }
  assert.ok(before < 40, "none had started");
  assert.equal(pool.stats().running, 0);
});

test("an abort after the end does nothing", async () => {
  await using pool = new ProcessPool();
  const stop = new AbortController();
  const { exit } = await pool.run("true", [], { signal: stop.signal });
  const child = await pool.spawn("true", [], { signal: stop.signal, stdio: "ignore" });
  await child.exited;
  await rejection(pool.run("/nonexistent", [], { signal: stop.signal }), PidpoolError);
  assert.equal(listeners(stop.signal), 0);
  stop.abort();
  assert.equal(exit.reason, "exit");
  assert.equal(child.exit?.reason, "exit");
  assert.equal((await pool.run("echo", ["goes on"])).stdout, "goes on\n");
});

test("an abort ends a spawned child, whose result says so", async () => {
  await using pool = new ProcessPool();
  const stop = new AbortController();
  const child = await pool.spawn("sleep", ["1000"], { signal: stop.signal, stdio: "ignore" });
  assert.equal(listeners(stop.signal), 1);
  stop.abort();
  assert.equal((await child.exited).reason, "aborted");
  assert.equal(listeners(stop.signal), 0);
});

test("AbortSignal.timeout() works, and one signal may end many children", async () => {
  await using pool = new ProcessPool({ concurrency: 3 });
  const signal = AbortSignal.timeout(100);
  const runs = Array.from({ length: 5 }, () => rejection(pool.run("sleep", ["1000"], { signal }), PidpoolError));
  const errors = await Promise.all(runs);
  for (const error of errors) assert.equal((error.cause as Error).name, "TimeoutError");
  assert.equal(listeners(signal), 0);
});

test("any number of launches share a signal through one listener, which goes with the last of them", async () => {
  await using pool = new ProcessPool();
  const controller = new AbortController();
  const { signal } = controller;
  const children = await Promise.all(
    Array.from({ length: 20 }, () => pool.spawn("cat", [], { signal, stdio: ["pipe", "ignore", "ignore"] })),
  );
  assert.equal(listeners(signal), 1);
  for (const child of children.slice(0, 10)) child.stdin.end();
  await Promise.all(children.slice(0, 10).map(({ exited }) => exited));
  assert.equal(listeners(signal), 1);
  await pool.run("true", [], { signal });
  controller.abort();
  for (const child of children.slice(10)) assert.equal((await child.exited).reason, "aborted");
  assert.equal(listeners(signal), 0);
});
