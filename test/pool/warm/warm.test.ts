// Jobs on processes that were started before them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import { ExitError, LaunchError, PidpoolError, type ProcessPool as Pool, type WarmCommand } from "pidpool";
import { rejection } from "../../helpers/errors.ts";
import { tempDir } from "../../helpers/files.ts";
import { refusal } from "../../helpers/isolation.ts";
import { childPids, ignores, until } from "../../helpers/processes.ts";
import { ProcessPool } from "../../helpers/pool.ts";

/** A shell that says its pid and waits; the job is what it is to do. */
function shells(pool: Pool, spares = 2): WarmCommand {
  return pool.command("sh").warm({ spares });
}

test("each job has a process of its own, which was there before it", async () => {
  await using pool = new ProcessPool();
  const warm = shells(pool, 3);
  await warm.ready;
  const before = new Set(childPids());
  assert.equal(before.size, 3);
  const results = await Promise.all(Array.from({ length: 3 }, () => warm.run({ input: "echo $PPID" })));
  assert.deepEqual(new Set(results.map(({ pid }) => pid)), before);
  const more = await Promise.all(Array.from({ length: 20 }, (_, i) => warm.run({ input: `echo job ${i}` })));
  assert.deepEqual(
    more.map(({ stdout }) => stdout),
    more.map((_, i) => `job ${i}\n`),
  );
  assert.equal(new Set([...results, ...more].map(({ pid }) => pid)).size, 23);
  await warm.ready;
  const { spares, running, queueSize, completed, lost, health } = warm.stats();
  assert.deepEqual([spares, running, queueSize, completed, lost, health], [3, 0, 0, 23, 0, "healthy"]);
});

test("input of every kind reaches any program that reads stdin", async () => {
  await using pool = new ProcessPool();
  const sums = pool.command("sha256sum").warm({ spares: 1 });
  const bytes = Buffer.alloc(3_000_000, "pidpool");
  const sum = (data: string | Buffer): string => `${createHash("sha256").update(data).digest("hex")}  -\n`;
  assert.equal((await sums.run({ input: bytes })).stdout, sum(bytes));
  assert.equal((await sums.run({ input: "text" })).stdout, sum("text"));
  assert.equal((await sums.run()).stdout, sum(""));
  assert.equal(
    (await sums.run({ input: Readable.from([bytes, "end"]) })).stdout,
    sum(Buffer.concat([bytes, Buffer.from("end")])),
  );
  const iterable = (async function* () {
    yield "a";
    yield Buffer.from("b");
  })();
  assert.equal((await sums.run({ input: iterable })).stdout, sum("ab"));
  const count = pool.command("wc", ["-c"]).warm({ spares: 1 });
  assert.equal((await count.run({ input: new Uint8Array(65_537) })).stdout.trim(), "65537");
  const own = pool.command("cat", [], { input: "own", encoding: "hex" }).warm({ spares: 1 });
  assert.equal((await own.run()).stdout, Buffer.from("own").toString("hex"));
  assert.equal((await own.run({ input: "x" })).stdout, "78");
});

test("results and errors are those of run()", async () => {
  await using pool = new ProcessPool();
  const command = pool.command("sh");
  const warm = command.warm({ spares: 2 });
  for (const input of ["echo out; echo err >&2", "echo no >&2; exit 3", "kill -9 $$"]) {
    const [cold, hot] = await Promise.all([command.run({ input, check: false }), warm.run({ input, check: false })]);
    assert.deepEqual(Object.keys(hot), Object.keys(cold));
    assert.deepEqual(Object.keys(hot.exit), Object.keys(cold.exit));
    for (const key of ["file", "args", "stdout", "stderr", "output", "truncated"] as const)
      assert.deepEqual(hot[key], cold[key]);
    assert.deepEqual([hot.exit.status, hot.exit.reason], [cold.exit.status, cold.exit.reason]);
  }
  const error = await rejection(warm.run({ input: "echo said >&2; exit 3" }), ExitError);
  assert.match(error.message, /^"sh" exited with code 3: said\n/);
  assert.equal(error.result.stderr, "said\n");
  assert.equal(warm.stats().lost, 0);
});

test("the time limit is that of the job, not of its process", async () => {
  await using pool = new ProcessPool();
  const warm = pool.command("sh", [], { timeout: 1000 }).warm({ spares: 1 });
  await warm.ready;
  const [pid] = childPids();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal((await warm.run({ input: "echo alive" })).pid, pid);
  const error = await rejection(warm.run({ input: "exec sleep 100", timeout: 50, killSignal: "SIGINT" }), ExitError);
  assert.equal(error.exit.reason, "timeout");
  assert.equal(error.exit.status === "signaled" && error.exit.signal, "SIGINT");
  const stubborn = pool.command("sh", ["-c", "trap '' TERM; exec sleep 1000"]).warm({ spares: 1 });
  await stubborn.ready;
  await until(() => childPids().some((child) => ignores(child, constants.signals.SIGTERM)));
  const { exit } = await stubborn.run({ killAfter: 20, timeout: 50, check: false });
  assert.deepEqual([exit.reason, exit.status === "signaled" && exit.signal], ["timeout", "SIGKILL"]);
});

test("a message tells how long the job took, and not how long its output was held open", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  await using warm = pool.command("sh", ["-c", "read x; sleep 2 & sleep 100"]).warm({ spares: 1 });
  await warm.ready;
  const error = await rejection(warm.run({ input: "go\n", timeout: 50, outputGrace: 400 }), ExitError);
  assert.equal(error.result.truncated, "held-open");
  const told = Number(/timed out after (\d+) ms/.exec(error.message)?.[1]);
  assert.ok(told <= Math.round(error.exit.wallMs), `${error.message}, of ${error.exit.wallMs}`);
});

test("a signal aborts its job alone, begun or not", async () => {
  await using pool = new ProcessPool();
  const warm = pool.command("cat").warm({ spares: 2, concurrency: 2 });
  const stop = new AbortController();
  const held = new PassThrough();
  const other = warm.run({ input: held });
  const aborted = rejection(warm.run({ input: new PassThrough(), signal: stop.signal }), ExitError);
  const waiting = rejection(warm.run({ input: "x", signal: stop.signal }), PidpoolError);
  await until(() => warm.stats().running === 2);
  assert.equal(warm.queueSize, 1);
  stop.abort(new Error("enough"));
  assert.equal((await waiting).code, "ERR_ABORTED");
  const { exit, cause } = await aborted;
  assert.deepEqual([exit.reason, (cause as Error).message], ["aborted", "enough"]);
  assert.equal((await rejection(warm.run({ signal: stop.signal }), PidpoolError)).code, "ERR_ABORTED");
  held.end("whole");
  assert.equal((await other).stdout, "whole");
});

test("a stream that fails ends its job, and takes nothing from the others", async () => {
  await using pool = new ProcessPool();
  const warm = pool.command("cat").warm({ spares: 1, concurrency: 1 });
  const broken = new PassThrough();
  const running = rejection(warm.run({ input: broken }), ExitError);
  await until(() => warm.stats().running === 1);
  const early = new PassThrough();
  const queued = rejection(warm.run({ input: early }), LaunchError);
  const last = warm.run({ input: "last" });
  early.destroy(new Error("too early"));
  assert.equal((await queued).stage, "input");
  broken.write("part");
  broken.destroy(new Error("broken off"));
  const { exit, cause } = await running;
  assert.deepEqual([exit.reason, (cause as Error).message], ["input-error", "broken off"]);
  assert.equal((await last).stdout, "last");
});

test("a process that ends without reading all of its input is no failure", async () => {
  await using pool = new ProcessPool();
  const warm = pool.command("head", ["-c", "3"]).warm({ spares: 1 });
  assert.equal((await warm.run({ input: Buffer.alloc(5_000_000, "x") })).stdout, "xxx");
  assert.equal((await warm.run({ input: Readable.from(["yyyy", "z".repeat(1_000_000)]) })).stdout, "yyy");
  assert.equal(
    (
      await rejection(
        pool
          .command("cat", [], { maxOutput: 9 })
          .warm()
          .run({ input: "x".repeat(10) }),
        ExitError,
      )
    ).exit.reason,
    "output-limit",
  );
});

test("jobs beyond `concurrency` wait in order, those beyond `maxQueue` are refused", async () => {
  await using pool = new ProcessPool({ concurrency: 1 });
  const warm = pool.command("cat").warm({ spares: 3, concurrency: 2, maxQueue: 2 });
  await warm.ready;
  const inputs = [new PassThrough(), new PassThrough()];
  const ended: string[] = [];
  const runs = [...inputs, "c", "d"].map(async (input) => ended.push((await warm.run({ input })).stdout));
  assert.deepEqual([warm.stats().running, warm.queueSize], [2, 2]);
  assert.equal((await rejection(warm.run({ input: "e" }), PidpoolError)).code, "ERR_QUEUE_FULL");
  // They take no place of the pool's.
  assert.equal((await pool.run("echo", ["free"])).stdout, "free\n");
  inputs[1]?.end("b");
  await until(() => ended.length === 3);
  inputs[0]?.end("a");
  await Promise.all(runs);
  assert.deepEqual(ended, ["b", "c", "d", "a"]);
  const direct = pool.command("cat").warm({ spares: 1, maxQueue: 0 });
  await direct.ready;
  assert.equal((await direct.run({ input: "x" })).stdout, "x");
});

test("close() ends idle spares, after the jobs that were taken", async () => {
  await using pool = new ProcessPool();
  const warm = pool.command("cat").warm({ spares: 2, concurrency: 1 });
  await warm.ready;
  const held = new PassThrough();
  const jobs = [warm.run({ input: held }), warm.run({ input: "second" })];
  const closed = warm.close();
  await assert.rejects(warm.run(), { code: "ERR_CLOSED" });
  await assert.rejects(warm.ready, { code: "ERR_CLOSED" });
  held.end("first");
  assert.deepEqual(
    (await Promise.all(jobs)).map(({ stdout }) => stdout),
    ["first", "second"],
  );
  await closed;
  assert.deepEqual(childPids(), []);
  assert.equal(warm.stats().lost, 0);
  await warm.close();
  assert.equal((await pool.run("echo", ["open"])).stdout, "open\n");
});

test("the end of the pool is that of its spares", async () => {
  const pool = new ProcessPool();
  const warm = pool.command("cat").warm();
  const stubborn = pool
    .command("sh", ["-c", "trap '' TERM; read line; sleep 1000"], { killAfter: 50 })
    .warm({ spares: 1 });
  const starting = pool.command("cat").warm();
  await Promise.all([warm.ready, stubborn.ready]);
  const job = warm.run({ input: "taken" });
  await pool.close();
  assert.equal((await job).stdout, "taken");
  assert.deepEqual(childPids(), []);
  assert.throws(() => pool.command("cat").warm(), { code: "ERR_CLOSED" });
  await assert.rejects(starting.run(), { code: "ERR_CLOSED" });
});

test("destroy() and `await using` reject what waits and kill what runs", async () => {
  const pool = new ProcessPool();
  const warm = pool.command("cat").warm({ spares: 2, concurrency: 1 });
  let jobs;
  {
    await using scoped = pool.command("cat").warm({ spares: 2, concurrency: 1 });
    jobs = [warm, scoped].flatMap((each) => [
      rejection(each.run({ input: new PassThrough() }), ExitError),
      rejection(each.run({ input: "x" }), PidpoolError),
    ]);
    await until(() => warm.stats().running + scoped.stats().running === 2);
  }
  assert.equal(warm.stats().running, 1);
  await pool.destroy();
  const errors = await Promise.all(jobs);
  assert.deepEqual(
    errors.map((error) => (error instanceof ExitError ? error.exit.reason : error.code)),
    ["shutdown", "ERR_CLOSED", "shutdown", "ERR_CLOSED"],
  );
  assert.deepEqual(childPids(), []);
  await warm.destroy();
});

test("a spare has the environment of its command", async (t) => {
  const dir = tempDir(t);
  await using pool = new ProcessPool({ env: { ...process.env, FROM: "pool" } });
  const log = join(dir, "log");
  const warm = pool
    .command("sh", [], { cwd: dir, stdio: [undefined, "capture", { file: log, append: true }] })
    .warm({ spares: 1 });
  assert.deepEqual(
    await warm.run({ input: "pwd -P; echo $FROM; echo logged >&2" }).then(({ stdout, stderr }) => [stdout, stderr]),
    [`${dir}\npool\n`, null],
  );
  assert.equal(readFileSync(log, "utf8"), "logged\n");
});

for (const isolation of ["none", "contained", "private"] as const) {
  test(`isolation ${isolation} holds for spares`, async (t) => {
    const why = await refusal(isolation);
    if (why !== false) return t.skip(why);
    await using pool = new ProcessPool({ isolation });
    const command = pool.command("sh", [], { input: "readlink /proc/self/ns/net; readlink /proc/self/ns/user" });
    const warm = command.warm({ spares: 2 });
    const [cold, first, second] = [await command.run(), await warm.run(), await warm.run()];
    if (isolation === "private") assert.notEqual(first.stdout, second.stdout);
    else assert.deepEqual([first.stdout, second.stdout], [cold.stdout, cold.stdout]);
    const error = await rejection(warm.run({ input: "exec sleep 100", timeout: 30 }), ExitError);
    assert.equal(error.exit.reason, "timeout");
    return undefined;
  });
}
