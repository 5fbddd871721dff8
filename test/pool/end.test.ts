import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { ExitError, PidpoolError } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { hold } from "../helpers/held.ts";
import { childPids, openFds, until } from "../helpers/processes.ts";
import { running } from "../helpers/wait.ts";
import { ProcessPool } from "../helpers/pool.ts";

test("close() waits for the children that run, for those that wait, and for spawned ones", async () => {
  await using pool = new ProcessPool({ concurrency: 1 });
  const first = hold(pool, "first");
  const queued = hold(pool, "queued");
  const child = await pool.spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  let closed = false;
  const end = pool.close().then(() => (closed = true));
  first.release();
  assert.equal((await first.run).stdout, "first");
  assert.equal(closed, false);
  queued.release();
  assert.equal((await queued.run).stdout, "queued");
  assert.equal(closed, false);
  child.stdin.end();
  assert.equal((await child.exited).reason, "exit");
  await end;
});

test("a pool that is closing, closed or destroyed takes no more children", async () => {
  await using closing = new ProcessPool();
  const command = closing.command("true");
  const { run, release } = hold(closing);
  const end = closing.close();
  const calls = [() => closing.run("true"), () => closing.spawn("true"), () => command.run(), () => command.spawn()];
  for (const call of calls) assert.equal((await rejection(call(), PidpoolError)).code, "ERR_CLOSED");
  release();
  await run;
  await end;
  for (const call of calls) assert.equal((await rejection(call(), PidpoolError)).code, "ERR_CLOSED");
  const destroyed = new ProcessPool();
  await destroyed.destroy();
  await assert.rejects(destroyed.run("true"), { code: "ERR_CLOSED", message: "the pool is closed" });
});

test("destroy() kills what runs, with reason shutdown, and rejects what waits", async () => {
  const pool = new ProcessPool({ concurrency: 2 });
  const child = await pool.spawn("sleep", ["1000"], { stdio: "ignore" });
  const checked = rejection(pool.run("sleep", ["1000"]), ExitError);
  const unchecked = pool.run("sh", ["-c", "trap '' TERM; while :; do sleep 0.01; done"], { check: false });
  const queued = [
    rejection(pool.run("true"), PidpoolError),
    rejection(pool.run("true", [], { check: false }), PidpoolError),
  ];
  await until(() => childPids().length === 3);
  await pool.destroy();
  assert.deepEqual(childPids(), []);
  const error = await checked;
  for (const exit of [error.exit, (await unchecked).exit, await child.exited]) {
    assert.equal(exit.reason, "shutdown");
    assert.equal(exit.status === "signaled" && exit.signal, "SIGKILL");
  }
  assert.equal(error.message, '"sleep" was ended with its pool or service (was killed by SIGKILL)');
  for (const one of queued) assert.equal((await one).code, "ERR_CLOSED");
});

test("destroy() right after the calls settles every one of them and leaves nothing", async () => {
  for (let round = 0; round < 10; round++) {
    const pool = new ProcessPool({ concurrency: 8 });
    if (round % 2 === 0) await pool.run("true");
    const calls = [
      ...Array.from({ length: 12 }, () => pool.run("sleep", ["1000"])),
      ...Array.from({ length: 4 }, () => pool.spawn("sleep", ["1000"], { stdio: "ignore" })),
    ];
    const settled = Promise.allSettled(calls);
    await pool.destroy();
    for (const outcome of await settled) {
      if (outcome.status === "fulfilled") assert.ok("exited" in outcome.value);
      else
        assert.ok(
          outcome.reason instanceof ExitError || (outcome.reason as PidpoolError).code === "ERR_CLOSED",
          String(outcome.reason),
        );
    }
    assert.deepEqual(childPids(), []);
  }
});

test("destroy() hurries a close() that waits", async () => {
  const pool = new ProcessPool();
  const { run } = await running(pool, () => rejection(pool.run("sleep", ["1000"]), ExitError));
  const closed = pool.close();
  await pool.destroy();
  await closed;
  assert.equal((await run).exit.reason, "shutdown");
});

test("close() and destroy() may be called again, in any order, and on a pool that did nothing", async () => {
  const pool = new ProcessPool();
  await pool.close();
  await pool.close();
  await pool.destroy();
  await pool.destroy();
  await pool.close();
});

test("await using destroys the pool", async () => {
  let run;
  {
    await using pool = new ProcessPool({ isolation: "none" });
    run = rejection(pool.run("sleep", ["1000"]), ExitError);
    await until(() => childPids().length === 1);
  }
  assert.equal((await run).exit.reason, "shutdown");
});

test("a pool that has ended has given back its fds and threads", async () => {
  const cycle = async (): Promise<void> => {
    const pool = new ProcessPool({ threads: 2, concurrency: 16 });
    await Promise.all(Array.from({ length: 16 }, () => pool.run("echo", ["x"])));
    const child = await pool.spawn("cat", [], { stdio: ["pipe", "pipe", "ignore", "pipe"] });
    child.stdin.end();
    await child.exited;
    for (const stream of child.stdio) stream?.destroy();
    await pool.close();
  };
  const count = (): [number, number] => [openFds().length, readdirSync("/proc/self/task").length];
  // What Node itself opens and starts once.
  await cycle();
  await until(() => childPids().length === 0);
  const before = count();
  for (let i = 0; i < 3; i++) await cycle();
  // Streams close their fds in the event loop's own time.
  await until(() => count().every((n, i) => n <= (before[i] ?? 0)));
});
