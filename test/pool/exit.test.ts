import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitError, PidpoolError } from "pidpool";
import { firstLine, rejection } from "../helpers/errors.ts";
import { ProcessPool } from "../helpers/pool.ts";

test("an exit code other than 0 rejects with an ExitError that carries the whole result", async () => {
  await using pool = new ProcessPool();
  const args = ["-c", "echo some output; echo first line >&2; echo last line >&2; exit 3"];
  const error = await rejection(pool.run("sh", args), ExitError);
  assert.ok(error instanceof PidpoolError);
  assert.ok(error instanceof Error);
  assert.equal(error.name, "ExitError");
  assert.equal(error.code, "ERR_EXIT");
  assert.equal(firstLine(error), '"sh" exited with code 3: last line');
  assert.equal(error.exit, error.result.exit);
  assert.equal(error.exit.status === "exited" && error.exit.code, 3);
  assert.equal(error.exit.reason, "exit");
  assert.equal(error.result.stdout, "some output\n");
  assert.equal(error.result.stderr, "first line\nlast line\n");
  assert.equal(error.result.file, "sh");
  assert.deepEqual(error.result.args, args);
  assert.equal(error.result.pid, error.exit.pid);
  assert.equal(error.result.truncated, null);
});

test("the message of an ExitError takes the last line of stderr from bytes, too, and does without", async () => {
  await using pool = new ProcessPool();
  const script = ["-c", "echo one >&2; echo two >&2; exit 1"];
  assert.equal(
    firstLine(await rejection(pool.run("sh", script, { encoding: "buffer" }), ExitError)),
    '"sh" exited with code 1: two',
  );
  assert.equal(
    firstLine(await rejection(pool.run("sh", script, { stdio: "ignore" }), ExitError)),
    '"sh" exited with code 1',
  );
  assert.equal(firstLine(await rejection(pool.run("false"), ExitError)), '"false" exited with code 1');
});

test("check: false resolves whatever the exit", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const failed = await pool.run("sh", ["-c", "echo out; exit 7"], { check: false });
  assert.equal(failed.exit.status === "exited" && failed.exit.code, 7);
  assert.equal(failed.stdout, "out\n");
  const killed = await pool.run("sh", ["-c", "kill -KILL $$"], { check: false });
  assert.equal(killed.exit.status, "signaled");
});

test("each exit code arrives as it is", async () => {
  await using pool = new ProcessPool();
  for (const code of [0, 1, 2, 126, 127, 128, 137, 143, 255]) {
    const { exit } = await pool.run("sh", ["-c", `exit ${code}`], { check: false });
    assert.equal(exit.status === "exited" && exit.code, code);
    assert.equal(exit.reason, "exit");
  }
});

test("a child that dies of a signal is reported as signaled, with the signal's name and no code", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  for (const [number, name] of [
    [1, "SIGHUP"],
    [9, "SIGKILL"],
    [13, "SIGPIPE"],
    [15, "SIGTERM"],
    [34, "SIGRTMIN+0"],
    [40, "SIGRTMIN+6"],
  ] as const) {
    const error = await rejection(pool.run("sh", ["-c", `kill -${number} $$`]), ExitError);
    assert.equal(error.exit.status, "signaled");
    assert.equal(error.exit.status === "signaled" && error.exit.signal, name);
    assert.equal(error.exit.status === "signaled" && error.exit.coreDumped, false);
    assert.equal(error.exit.reason, "signal");
    assert.equal("code" in error.exit, false);
    assert.ok(firstLine(error).startsWith(`"sh" was killed by ${name}`), error.message);
  }
});

test("an exit code of 128 + n is an exit code, not a signal", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const { exit } = await pool.run("sh", ["-c", "sh -c 'kill -TERM $$'; exit $?"], { check: false });
  assert.equal(exit.status === "exited" && exit.code, 143);
});

test("the report has the child's own pid and times that fit together", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const before = Date.now();
  const { stdout, exit, pid, waitMs } = await pool.run("sh", [
    "-c",
    "echo $$; i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done",
  ]);
  const after = Date.now();
  assert.equal(stdout, `${pid}\n`);
  assert.equal(exit.pid, pid);
  assert.equal(exit.message, null);
  // The two clocks are read one after the other, and one may be adjusted.
  assert.ok(
    exit.startedAt > before - 1000 && exit.startedAt < after + 1000,
    `${exit.startedAt} from ${before} to ${after}`,
  );
  assert.ok(waitMs >= 0);
  assert.ok(exit.userMs !== null && exit.systemMs !== null);
  assert.ok(exit.userMs + exit.systemMs > 0);
  // One thread; the kernel counts CPU time by ticks on some machines.
  assert.ok(exit.userMs + exit.systemMs <= exit.wallMs + 50, `${exit.userMs} + ${exit.systemMs} of ${exit.wallMs}`);
});

test("startedAt follows the wall clock where that is set after the library was loaded", async (t) => {
  await using pool = new ProcessPool({ isolation: "none" });
  const { now } = Date;
  const year = 31_536_000_000;
  for (const jump of [20 * year, -year, 0]) {
    t.mock.method(Date, "now", () => now() + jump);
    const before = Date.now();
    const { exit } = await pool.run("true");
    const after = Date.now();
    t.mock.restoreAll();
    assert.ok(exit.startedAt > before - 1000 && exit.startedAt < after + 1000, `${exit.startedAt} from ${before}`);
    assert.ok(exit.wallMs < after - before + 1000, String(exit.wallMs));
  }
});

test("maxRss is the child's own peak, or null where the kernel shows the parent's", async () => {
  await using pool = new ProcessPool();
  assert.equal((await pool.run("true")).exit.maxRss, null);
  const megabytes = Math.ceil(process.resourceUsage().maxRSS / 1024) + 64;
  const { exit } = await pool.run(process.execPath, ["--eval", `Buffer.alloc(${megabytes} << 20, "x")`]);
  assert.ok(exit.maxRss !== null && exit.maxRss >= megabytes << 20, `${exit.maxRss}`);
});

test("an exit that comes together with the word of the launch is an event for whoever awaits spawn()", async () => {
  await using pool = new ProcessPool();
  let events = 0;
  for (let i = 0; i < 100; i++) {
    const child = await pool.spawn("true", [], { stdio: "ignore" });
    child.on("exit", () => events++);
    await child.exited;
  }
  // An event is emitted in the turn that settles the promise.
  assert.equal(events, 100);
});
