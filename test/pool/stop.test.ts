import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitError, type RunOptions } from "pidpool";
import { firstLine, rejection } from "../helpers/errors.ts";
import { isAlive, until } from "../helpers/processes.ts";
import { said } from "../helpers/wait.ts";
import { ProcessPool } from "../helpers/pool.ts";

/** What a timeout makes of a child whose program was running by then; however long it took to start. */
async function timedOut(
  pool: ProcessPool,
  options: RunOptions<"capture", "utf8"> = {},
): Promise<{ error: ExitError; timeout: number }> {
  for (let timeout = 20; ; timeout *= 4) {
    const run = pool.run("sh", ["-c", "echo ready; exec sleep 1000"], { ...options, timeout });
    const error = await rejection(run, ExitError);
    if (error.result.stdout === "ready\n") return { error, timeout };
  }
}

test("a timeout ends a child with SIGTERM and says so", async () => {
  await using pool = new ProcessPool();
  const { error, timeout } = await timedOut(pool);
  assert.equal(error.exit.reason, "timeout");
  assert.equal(error.exit.status === "signaled" && error.exit.signal, "SIGTERM");
  assert.ok(error.exit.wallMs >= timeout, `${error.exit.wallMs}`);
  assert.match(firstLine(error), /^"sh" timed out after \d+ ms \(was killed by SIGTERM\)$/);
});

test("a child that ends within its timeout is not touched, and 0 and Infinity mean none", async () => {
  await using pool = new ProcessPool();
  for (const timeout of [0, Infinity, 2 ** 31 - 1, 100_000]) {
    const { exit, stdout } = await pool.run("echo", ["done"], { timeout });
    assert.equal(exit.reason, "exit");
    assert.equal(stdout, "done\n");
  }
});

test("killSignal is the signal of a timeout, by name or number", async () => {
  await using pool = new ProcessPool();
  for (const [killSignal, name] of [
    ["SIGINT", "SIGINT"],
    [10, "SIGUSR1"],
    ["SIGKILL", "SIGKILL"],
  ] as const) {
    const { exit } = (await timedOut(pool, { killSignal })).error;
    assert.equal(exit.status === "signaled" && exit.signal, name);
    assert.equal(exit.reason, "timeout");
  }
});

test("a child that handles killSignal and exits 0 was stopped all the same", async () => {
  await using pool = new ProcessPool();
  // It has set its trap once it says so; a timeout of its own could come before.
  const script = "trap 'echo bye; exit 0' TERM; echo ready >&2; while :; do sleep 0.01; done";
  const stop = new AbortController();
  const child = await pool.spawn("sh", ["-c", script], { stdio: ["ignore", "capture", "pipe"], signal: stop.signal });
  await said(child.stderr, "ready");
  stop.abort();
  const { exit, stdout } = await child.result;
  assert.equal(exit.status === "exited" && exit.code, 0);
  assert.equal(exit.reason, "aborted");
  assert.equal(stdout, "bye\n");
  const error = await rejection(
    pool.run("sh", ["-c", "trap 'exit 0' TERM; while :; do sleep 0.01; done"], { timeout: 300 }),
    ExitError,
  );
  assert.equal(error.exit.reason, "timeout");
});

test("SIGKILL follows after killAfter for a child that ignores killSignal", async () => {
  await using pool = new ProcessPool();
  const stop = new AbortController();
  const child = await pool.spawn("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"], {
    stdio: ["ignore", "pipe", "inherit"],
    signal: stop.signal,
    killAfter: 50,
  });
  await said(child.stdout, "ready");
  stop.abort();
  const exit = await child.exited;
  assert.equal(exit.status === "signaled" && exit.signal, "SIGKILL");
  assert.equal(exit.reason, "aborted");
});

test("with killAfter: Infinity a child that ignores killSignal lives on", async () => {
  await using pool = new ProcessPool();
  const script = "trap '' USR1; trap 'echo term' TERM; trap 'exit 5' INT; echo ready; while :; do sleep 0.01; done";
  const stop = new AbortController();
  const options = {
    stdio: ["ignore", "pipe", "inherit"],
    signal: stop.signal,
    killAfter: Infinity,
    killSignal: "SIGUSR1",
  } as const;
  const child = await pool.spawn("sh", ["-c", script], options);
  await said(child.stdout, "ready");
  stop.abort();
  child.kill("SIGTERM");
  await said(child.stdout, "term");
  child.kill("SIGINT");
  const exit = await child.exited;
  assert.equal(exit.status === "exited" && exit.code, 5);
  assert.equal(exit.reason, "aborted");
});

test("what ends a process group's leader reaches the whole group", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  for (const session of [true, "group"] as const) {
    const stop = new AbortController();
    const child = await pool.spawn("sh", ["-c", "sleep 1000 & echo $!; wait"], {
      stdio: ["ignore", "pipe", "inherit"],
      signal: stop.signal,
      session,
    });
    const grandchild = Number(await said(child.stdout, "\n"));
    assert.equal(isAlive(grandchild), true);
    stop.abort();
    assert.equal((await child.exited).reason, "aborted");
    await until(() => !isAlive(grandchild));
  }
});

test("timeouts run from each child's own start, many at a time", async () => {
  await using pool = new ProcessPool({ concurrency: 2 });
  const runs = Array.from({ length: 6 }, () => pool.run("sleep", ["1000"], { timeout: 40, check: false }));
  for (const { exit } of await Promise.all(runs)) {
    assert.equal(exit.reason, "timeout");
    assert.ok(exit.wallMs >= 40);
  }
});
