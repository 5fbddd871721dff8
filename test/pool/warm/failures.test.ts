// Spares that die, programs that cannot wait, threads that go: no job pays for it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { ExitError, InvalidOptionError, LaunchError, StartLimitError, type ProcessPool as Pool } from "pidpool";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { rejection } from "../../helpers/errors.ts";
import { tempDir } from "../../helpers/files.ts";
import { hold } from "../../helpers/held.ts";
import { childPids, isAlive, killAll, openFds, until } from "../../helpers/processes.ts";
import { ProcessPool } from "../../helpers/pool.ts";

/** Counts the processes that a pool starts. */
function countStarts(pool: Pool): () => number {
  let starts = 0;
  pool.on("spawn", () => starts++);
  return () => starts;
}

test("spares that a stranger kills are replaced, and that is no job's failure", async () => {
  await using pool = new ProcessPool();
  const warm = pool.command("cat").warm({ spares: 4, backoff: { initial: 10 } });
  for (let round = 1; round <= 5; round++) {
    await warm.ready;
    const killed = childPids();
    for (const pid of killed) process.kill(pid, "SIGKILL");
    // Without a turn of the event loop: nobody has told the pool.
    while (killed.some(isAlive));
    assert.equal(warm.stats().spares, 4);
    const results = await Promise.all(["a", "b"].map((input) => warm.run({ input })));
    assert.deepEqual(
      results.map(({ stdout, pid }) => [stdout, killed.includes(pid)]),
      [
        ["a", false],
        ["b", false],
      ],
    );
    await until(() => warm.stats().lost === 4 * round);
  }
});

test("a stream that no process has read of goes to the next one whole", async () => {
  await using pool = new ProcessPool();
  const warm = pool.command("cat").warm({ spares: 2, backoff: { initial: 10 } });
  await warm.ready;
  const killed = childPids();
  for (const pid of killed) process.kill(pid, "SIGKILL");
  while (killed.some(isAlive));
  const input = new PassThrough();
  input.end("whole");
  assert.equal((await warm.run({ input })).stdout, "whole");
});

test("a process that dies with a job takes it along: at most once", async () => {
  await using pool = new ProcessPool();
  const warm = pool.command("sh").warm({ spares: 2 });
  const error = await rejection(warm.run({ input: "kill -KILL $$" }), ExitError);
  assert.deepEqual([error.exit.reason, warm.stats().lost, warm.stats().completed], ["signal", 0, 1]);
});

test("a broken program is started once a delay, fails at its limit, and is tried again", async (t) => {
  const flag = join(tempDir(t), "flag");
  await using pool = new ProcessPool();
  const starts = countStarts(pool);
  const warm = pool.command("sh", ["-c", 'test -e "$0" || { echo broken >&2; exit 3; }; exec cat', flag]).warm({
    spares: 4,
    backoff: { initial: 20, max: 150, jitter: 0 },
    startLimit: { burst: 4 },
  });
  await until(() => warm.stats().health === "failed" && warm.stats().lost === 7);
  const error = await rejection(warm.ready, StartLimitError);
  // The spares that were there first fail once, together.
  assert.equal(starts(), 4 + 3);
  assert.equal(warm.stats().lost, 7);
  assert.equal(error.report?.status === "exited" && error.report.code, 3);
  assert.match(
    error.message,
    /^spares of "sh" have failed 4 times, the next is started in \d+ ms; the last one: "sh" exited with code 3: broken\n/,
  );
  assert.ok(error.cause instanceof ExitError);
  assert.equal(warm.stats().health, "failed");
  await assert.rejects(warm.run({ input: "x" }), { code: "ERR_START_LIMIT" });
  assert.equal(starts(), 7);
  // One trial, which fails.
  await until(() => warm.stats().lost === 8);
  assert.equal(starts(), 8);
  assert.equal(warm.stats().health, "failed");
  writeFileSync(flag, "");
  await until(() => warm.stats().spares > 0);
  assert.equal((await warm.run({ input: "mended" })).stdout, "mended");
  await warm.ready;
  assert.equal(warm.stats().health, "healthy");
});

test("jobs that wait for a broken program are told why", async () => {
  await using pool = new ProcessPool();
  const limits = { backoff: { initial: 5, max: 60_000 }, startLimit: { burst: 3 } };
  const missing = pool.command("/nonexistent/program").warm(limits);
  const [first, second] = await Promise.all([
    rejection(missing.run(), StartLimitError),
    rejection(missing.run({ input: "x" }), StartLimitError),
  ]);
  assert.equal(first.code, second.code);
  assert.equal(first.report, undefined);
  assert.ok(first.cause instanceof LaunchError && first.cause.errno === "ENOENT");
  assert.match(first.message, /nonexistent/);
  await missing.close();
});

test("a program that closes its stdin gets no job", async () => {
  await using pool = new ProcessPool();
  const starts = countStarts(pool);
  const deaf = pool.command("sh", ["-c", "exec sleep 1000 <&-"]).warm({
    spares: 2,
    backoff: { initial: 5, max: 60_000 },
    startLimit: { burst: 3 },
  });
  await deaf.ready;
  // The program may have been seen before it came to close it.
  const outcomes = new Set<string>();
  for (let i = 0; i < 20 && !outcomes.has("ERR_START_LIMIT"); i++) {
    const error = await rejection(deaf.run({ timeout: 200 }), Error);
    outcomes.add((error as StartLimitError).code);
  }
  assert.ok(outcomes.has("ERR_START_LIMIT"));
  assert.ok(starts() <= 2 + 3 + 20);
  await deaf.close();
  assert.deepEqual(childPids(), []);
});

test("spares survive the death of their supervisor's thread", async () => {
  await using pool = new ProcessPool({ threads: 1 });
  const warm = pool.command("sh").warm({ spares: 2 });
  await warm.ready;
  const before = childPids();
  // Idle spares would not keep this process alive to see it.
  const { run, release } = hold(pool);
  const died = new Promise((resolve) => pool.once("error", resolve));
  supervisorsOf(pool)?.all[0]?.send({ slot: "none" } as never);
  await died;
  release();
  await run;
  const { stdout, pid } = await warm.run({ input: "echo still here" });
  assert.equal(stdout, "still here\n");
  assert.ok(before.includes(pid));
  const error = await rejection(warm.run({ input: "exec sleep 100", timeout: 50 }), ExitError);
  assert.equal(error.exit.reason, "timeout");
  assert.equal(warm.stats().lost, 0);
});

test("no fd and no process is left, whatever becomes of spares and jobs", async () => {
  const everything = async (): Promise<void> => {
    await using pool = new ProcessPool();
    const warm = pool.command("cat").warm({ spares: 3, backoff: { initial: 5 } });
    await Promise.allSettled([
      warm.run({ input: "x".repeat(1_000_000) }),
      warm.run({ input: new PassThrough(), timeout: 10 }),
      warm.run({ input: new PassThrough(), signal: AbortSignal.timeout(10) }),
      pool
        .command("head", ["-c1"])
        .warm()
        .run({ input: "x".repeat(1_000_000) }),
      pool.command("false").warm({ backoff: { initial: 1, max: 60_000 } }).ready,
      pool.command("/nonexistent").warm({ backoff: { initial: 1, max: 60_000 } }).ready,
    ]);
    await warm.ready;
    killAll(childPids());
    await warm.run({ input: "after", check: false });
  };
  await everything();
  const before = openFds().length;
  await everything();
  assert.deepEqual(childPids(), []);
  assert.ok(openFds().length <= before, openFds().join("\n"));
});

test("what is wrong is refused, by name", async () => {
  await using pool = new ProcessPool();
  const command = pool.command("cat");
  for (const [options, option] of [
    [{ spares: 0 }, "spares"],
    [{ spares: 1.5 }, "spares"],
    [{ spares: Infinity }, "spares"],
    [{ concurrency: 0 }, "concurrency"],
    [{ maxQueue: -1 }, "maxQueue"],
    [{ backoff: 100 }, "backoff"],
    [{ backoff: { initial: 0 } }, "backoff.initial"],
    [{ backoff: { factor: 0.5 } }, "backoff.factor"],
    [{ backoff: { initial: 100, max: 99 } }, "backoff.max"],
    [{ backoff: { jitter: 2 } }, "backoff.jitter"],
    [{ backoff: { resetAfter: NaN } }, "backoff.resetAfter"],
    [{ backoff: { delay: 1 } }, "backoff.delay"],
    [{ startLimit: { burst: 0 } }, "startLimit.burst"],
    [{ startLimit: { interval: -1 } }, "startLimit.interval"],
    [{ size: 4 }, "size"],
    [null, "options"],
  ] as const)
    assert.throws(
      () => command.warm(options as never),
      (error) => error instanceof InvalidOptionError && error.option === option,
    );
  assert.throws(() => pool.command("cat", [], { input: { file: "/dev/null" } }).warm(), { option: "input" });
  assert.throws(() => pool.command("cat", [], { stdio: "pipe" }).warm(), { option: "stdio[1]" });
  const warm = command.warm({ spares: 1 });
  for (const [options, option] of [
    [{ cwd: "/" }, "cwd"],
    [{ env: {} }, "env"],
    [{ encoding: "hex" }, "encoding"],
    [{ stdio: "ignore" }, "stdio"],
    [{ maxOutput: 1 }, "maxOutput"],
    [{ timeOut: 1 }, "timeOut"],
    [{ timeout: -1 }, "timeout"],
    [{ killSignal: "SIGNONE" }, "killSignal"],
    [{ signal: {} }, "signal"],
    [{ input: { file: "/dev/null" } }, "input"],
    [{ input: 5 }, "input"],
    [{ input: null }, "input"],
    [null, "options"],
  ] as const)
    assert.equal((await rejection(warm.run(options as never), InvalidOptionError)).option, option);
  assert.equal((await warm.run({ input: "fine" })).stdout, "fine");
});
