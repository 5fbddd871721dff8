import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { ExitError, InvalidOptionError, LaunchError } from "pidpool";
import { firstLine, rejection } from "../helpers/errors.ts";
import { tempDir } from "../helpers/files.ts";
import { running } from "../helpers/wait.ts";
import { ProcessPool } from "../helpers/pool.ts";

test("a command runs as often as wanted, also at the same time", async () => {
  await using pool = new ProcessPool();
  const command = pool.command("sh", ["-c", "cat; exit $0", "0"]);
  assert.equal(command.file, "sh");
  assert.deepEqual(command.args, ["-c", "cat; exit $0", "0"]);
  assert.equal((await command.run()).stdout, "");
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => command.run({ input: `input ${i}` })));
  assert.deepEqual(
    results.map(({ stdout }) => stdout),
    Array.from({ length: 20 }, (_, i) => `input ${i}`),
  );
  assert.equal(new Set(results.map(({ pid }) => pid)).size, 20);
});

test("a command that fails rejects each time", async () => {
  await using pool = new ProcessPool();
  const failing = pool.command("sh", ["-c", "echo no >&2; exit 2"]);
  const missing = pool.command("/nonexistent/program");
  for (let i = 0; i < 2; i++) {
    assert.equal(firstLine(await rejection(failing.run(), ExitError)), '"sh" exited with code 2: no');
    assert.equal((await rejection(missing.run(), LaunchError)).errno, "ENOENT");
    assert.equal((await rejection(missing.spawn(), LaunchError)).errno, "ENOENT");
  }
  assert.equal((await failing.run({ check: false })).stderr, "no\n");
});

test("a command spawns, with streams by default", async () => {
  await using pool = new ProcessPool();
  const command = pool.command("cat");
  const child = await command.spawn();
  child.stdin.end("text");
  assert.equal(await text(child.stdout), "text");
  assert.equal((await child.exited).reason, "exit");
  assert.equal((await command.run({ input: "the same command" })).stdout, "the same command");
});

test("a command with pipes is for spawn() alone", async () => {
  await using pool = new ProcessPool();
  const command = pool.command("echo", ["x"], { stdio: ["ignore", "pipe", "ignore"] });
  const child = await command.spawn();
  assert.equal(await text(child.stdout), "x\n");
  assert.equal((await rejection(command.run(), InvalidOptionError)).option, "stdio[1]");
});

test("input may be the command's own, and another for one run", async () => {
  await using pool = new ProcessPool();
  const command = pool.command("cat", [], { input: "own" });
  assert.equal((await command.run()).stdout, "own");
  assert.equal((await command.run({ input: "other" })).stdout, "other");
  assert.equal((await command.run({ input: Readable.from(["a ", "stream"]) })).stdout, "a stream");
  assert.equal((await command.run({ input: Buffer.alloc(200_000, "x") })).stdout.length, 200_000);
  assert.equal((await command.run({ input: { file: "/dev/null" } })).stdout, "");
  assert.equal((await command.run()).stdout, "own");
});

test("overrides hold for one run alone", async (t) => {
  await using pool = new ProcessPool();
  const dir = tempDir(t);
  const command = pool.command("/bin/sh", ["-c", "pwd -P; echo $WORD; umask"], {
    cwd: dir,
    env: { WORD: "own" },
    umask: 0o077,
  });
  const own = `${dir}\nown\n0077\n`;
  assert.equal((await command.run()).stdout, own);
  assert.equal((await command.run({ cwd: "/" })).stdout, "/\nown\n0077\n");
  assert.equal((await command.run({ env: { WORD: "other" } })).stdout, `${dir}\nother\n0077\n`);
  assert.equal((await command.run({ umask: 0o022 })).stdout, `${dir}\nown\n0022\n`);
  assert.equal((await command.run({ encoding: "hex" })).stdout, Buffer.from(own).toString("hex"));
  assert.deepEqual((await command.run({ encoding: "buffer" })).stdout, Buffer.from(own));
  assert.equal((await command.run({ stdio: "ignore" })).stdout, null);
  assert.equal((await rejection(command.run({ maxOutput: 3 }), ExitError)).exit.reason, "output-limit");
  assert.equal((await command.run({})).stdout, own);
  assert.equal((await command.run()).stdout, own);
});

test("timeout, killSignal and signal may be given for one run", async () => {
  await using pool = new ProcessPool();
  const command = pool.command("sleep", ["1000"], { check: false });
  assert.equal((await command.run({ timeout: 20 })).exit.reason, "timeout");
  const stop = new AbortController();
  const { run } = await running(pool, () => command.run({ signal: stop.signal, killSignal: "SIGINT" }));
  stop.abort();
  const { exit } = await run;
  assert.equal(exit.reason, "aborted");
  assert.equal(exit.status === "signaled" && exit.signal, "SIGINT");
  const child = await command.spawn({ timeout: 20, stdio: "ignore" });
  assert.equal((await child.exited).reason, "timeout");
  await assert.rejects(command.run({ signal: AbortSignal.abort() }), { code: "ERR_ABORTED" });
});

test("the environment is that of the moment when the command was made", async (t) => {
  await using pool = new ProcessPool();
  t.after(() => delete process.env["PIDPOOL_TEST"]);
  process.env["PIDPOOL_TEST"] = "at first";
  const env: Record<string, string> = { PIDPOOL_TEST: "given" };
  const inherits = pool.command("/bin/sh", ["-c", "echo $PIDPOOL_TEST"]);
  const given = pool.command("/bin/sh", ["-c", "echo $PIDPOOL_TEST"], { env });
  process.env["PIDPOOL_TEST"] = "later";
  env["PIDPOOL_TEST"] = "later";
  for (const [command, word] of [
    [inherits, "at first"],
    [given, "given"],
  ] as const) {
    assert.equal((await command.run()).stdout, `${word}\n`);
    assert.equal((await command.run({ input: "" })).stdout, `${word}\n`);
    assert.equal((await command.run({ cwd: "/" })).stdout, `${word}\n`);
    assert.equal((await command.run({ env: undefined })).stdout, `${word}\n`);
    const child = await command.spawn({ stdio: ["ignore", "capture", "ignore"] });
    assert.equal((await child.result).stdout, `${word}\n`);
  }
});

test("changes to the options and arguments after the command was made do not reach it", async () => {
  await using pool = new ProcessPool();
  const args = ["one"];
  const options = { encoding: "utf8" as const, cwd: "/" };
  const command = pool.command("sh", ["-c", "pwd; echo $0", ...args], options);
  args[0] = "two";
  options.cwd = "/tmp";
  assert.equal((await command.run()).stdout, "/\none\n");
  assert.equal((await command.run({ umask: 0o022 })).stdout, "/\none\n");
});

test("wrong overrides reject, and the command stays usable", async () => {
  await using pool = new ProcessPool();
  const command = pool.command("echo", ["fine"]);
  const cases: readonly [overrides: unknown, option: string][] = [
    [{ timeout: -1 }, "timeout"],
    [{ timeOut: 1 }, "timeOut"],
    [{ encoding: "utf9" }, "encoding"],
    [{ stdio: ["capture"] }, "stdio[0]"],
    [{ env: { A: "\0" } }, 'env["A"]'],
    [{ input: 5 }, "input"],
    [{ input: "x", stdio: ["ignore"] }, "stdio[0]"],
    [{ file: "sh" }, "file"],
    [{ args: ["x"] }, "args"],
    [null, "options"],
    ["x", "options"],
  ];
  for (const [overrides, option] of cases) {
    assert.equal((await rejection(command.run(overrides as never), InvalidOptionError)).option, option);
    assert.equal((await rejection(command.spawn(overrides as never), InvalidOptionError)).option, option);
  }
  assert.equal((await rejection(command.run({ stdio: "pipe" } as never), InvalidOptionError)).option, "stdio[0]");
  assert.equal((await command.run()).stdout, "fine\n");
});

test("a command takes the pool's defaults, its queue and its end", async () => {
  await using pool = new ProcessPool({ check: false, concurrency: 1, maxQueue: 1 });
  const command = pool.command("sh", ["-c", "exit 3"]);
  const runs = [command.run(), command.run()];
  await assert.rejects(command.run(), { code: "ERR_QUEUE_FULL" });
  for (const { exit } of await Promise.all(runs)) assert.equal(exit.status === "exited" && exit.code, 3);
  await pool.close();
  await assert.rejects(command.run(), { code: "ERR_CLOSED" });
});

test("a stream is no input for a command: it could be read only once", async () => {
  await using pool = new ProcessPool();
  assert.throws(() => pool.command("cat", [], { input: Readable.from(["x"]) }), {
    code: "ERR_INVALID_OPTION",
    option: "input",
  });
  const cat = pool.command(new URL("file:///bin/cat"));
  assert.equal((await cat.run({ input: Readable.from(["once"]) })).stdout, "once");
});

test("a pool and a command keep their options, whatever becomes of the caller's objects", async () => {
  const env: Record<string, string> = { PATH: process.env["PATH"] ?? "", NAME: "before" };
  await using pool = new ProcessPool({ env });
  const stdio = ["ignore", "capture", "ignore"] as const;
  const mutable = [...stdio] as ("ignore" | "capture")[];
  const command = pool.command("sh", ["-c", "echo $NAME; echo err >&2"], { stdio: mutable });
  env["NAME"] = "after";
  mutable[2] = "capture";
  assert.equal((await pool.run("sh", ["-c", "echo $NAME"])).stdout, "before\n");
  const { stdout, stderr } = await command.run({ timeout: 60_000, env: { ...env } });
  assert.deepEqual([stdout, stderr], ["after\n", null]);
});
