import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { ExitError, LaunchError, PidpoolError } from "pidpool";
import { firstLine, rejection } from "../helpers/errors.ts";
import { tempDir } from "../helpers/files.ts";
import { until } from "../helpers/processes.ts";
import { running, said } from "../helpers/wait.ts";
import { ProcessPool } from "../helpers/pool.ts";

test("input may be text or bytes of any kind, a part of a larger buffer included", async () => {
  await using pool = new ProcessPool();
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => i * 4);
  const cat = async (input: string | NodeJS.ArrayBufferView | ArrayBuffer): Promise<Buffer> =>
    (await pool.run("cat", [], { input, encoding: "buffer" })).stdout;
  assert.deepEqual(await cat("ž 🐎\n"), Buffer.from("ž 🐎\n"));
  assert.deepEqual(await cat(""), Buffer.alloc(0));
  assert.deepEqual(await cat(bytes), Buffer.from(bytes));
  assert.deepEqual(await cat(bytes.buffer), Buffer.from(bytes));
  assert.deepEqual(await cat(bytes.subarray(3, 20)), Buffer.from(bytes.subarray(3, 20)));
  assert.deepEqual(await cat(new Uint32Array(bytes.buffer, 8, 3)), Buffer.from(bytes.subarray(8, 20)));
  assert.deepEqual(await cat(new DataView(bytes.buffer, 1, 2)), Buffer.from(bytes.subarray(1, 3)));
  assert.deepEqual(await cat(new Uint8Array(0)), Buffer.alloc(0));
});

test("input of every size around those of a pipe arrives whole", async () => {
  await using pool = new ProcessPool();
  for (const size of [1, 4095, 4096, 4097, 65535, 65536, 65537, 200_000]) {
    const input = randomBytes(size);
    const { stdout } = await pool.run("cat", [], { input, encoding: "buffer" });
    assert.ok(stdout.equals(input), `${size} bytes`);
  }
});

test("input may be a stream, an async iterable or a web stream", async () => {
  await using pool = new ProcessPool();
  async function* chunks(): AsyncGenerator<string | Uint8Array> {
    yield "a";
    yield Buffer.from("b");
    yield Uint8Array.of(99);
  }
  assert.equal((await pool.run("cat", [], { input: Readable.from(["x", "y"]) })).stdout, "xy");
  assert.equal((await pool.run("cat", [], { input: chunks() })).stdout, "abc");
  assert.equal((await pool.run("cat", [], { input: new Blob(["from a blob"]).stream() })).stdout, "from a blob");
  assert.equal((await pool.run("cat", [], { input: Readable.from([]) })).stdout, "");
});

test("one child's output stream may be another's input", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("printf", ["b\\na\\n"], { stdio: ["ignore", "pipe", "inherit"] });
  assert.equal((await pool.run("sort", [], { input: child.stdout })).stdout, "a\nb\n");
});

test("input may be a file, relative to the child's cwd", async (t) => {
  await using pool = new ProcessPool();
  const cwd = tempDir(t);
  const file = join(cwd, "input");
  writeFileSync(file, "from a file");
  assert.equal((await pool.run("cat", [], { input: { file } })).stdout, "from a file");
  assert.equal((await pool.run("cat", [], { input: { file: pathToFileURL(file) } })).stdout, "from a file");
  assert.equal((await pool.run("cat", [], { input: { file: "input" }, cwd })).stdout, "from a file");
});

test("spawn() takes input, too, and then has no stdin stream", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("cat", [], { input: "given", stdio: ["pipe", "capture", "ignore"] });
  assert.ok(!child.stdin);
  assert.equal((await child.result).stdout, "given");
});

test("large input and large output at once do not wait for each other", async () => {
  await using pool = new ProcessPool();
  const input = randomBytes(8 << 20);
  const digest = createHash("sha256").update(input).digest("hex");
  const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
  assert.equal(hash((await pool.run("cat", [], { input, encoding: "buffer" })).stdout), digest);
  const stream = Readable.from([input.subarray(0, 5_000_000), input.subarray(5_000_000)]);
  assert.equal(hash((await pool.run("cat", [], { input: stream, encoding: "buffer" })).stdout), digest);
});

test("a child may end without reading its input", async () => {
  await using pool = new ProcessPool();
  const input = Buffer.alloc(8 << 20, "x");
  assert.equal((await pool.run("head", ["-c", "3"], { input })).stdout, "xxx");
  await pool.run("true", [], { input });
  await pool.run("true", [], { input: "little" });
  const error = await rejection(pool.run("sh", ["-c", "exit 4"], { input }), ExitError);
  assert.equal(error.exit.reason, "exit");
});

test("a stream that a child does not read to its end is destroyed, and the child's end is its own", async () => {
  await using pool = new ProcessPool();
  let ended = false;
  async function* endless(): AsyncGenerator<string> {
    try {
      for (;;) yield "y\n".repeat(10_000);
    } finally {
      ended = true;
    }
  }
  assert.equal((await pool.run("head", ["-n", "2"], { input: endless() })).stdout, "y\ny\n");
  await until(() => ended);
});

test("a child that closes its stdin early and lives on is left alone", async (t) => {
  await using pool = new ProcessPool();
  const flag = join(tempDir(t), "stream-is-over");
  async function* endless(): AsyncGenerator<string> {
    try {
      for (;;) yield "y\n".repeat(10_000);
    } finally {
      writeFileSync(flag, "");
    }
  }
  const script = 'exec 0<&-; until [ -e "$0" ]; do sleep 0.01; done; sleep 0.05; echo lived';
  assert.equal((await pool.run("sh", ["-c", script, flag], { input: endless() })).stdout, "lived\n");
});

test("an input stream that fails ends the child, with the stream's error as the cause", async () => {
  await using pool = new ProcessPool();
  const broken = new Error("the source broke");
  let start = (): void => undefined;
  const started = new Promise<void>((resolve) => (start = resolve));
  async function* failing(): AsyncGenerator<string> {
    yield "a part";
    await started;
    throw broken;
  }
  const { run } = await running(pool, () => rejection(pool.run("cat", [], { input: failing() }), ExitError));
  start();
  const error = await run;
  assert.equal(error.exit.reason, "input-error");
  assert.equal(error.cause, broken);
  assert.equal(firstLine(error), '"cat" was ended because its input failed (was killed by SIGTERM)');
});

test("a child never takes an input stream that broke off for a whole one", async () => {
  await using pool = new ProcessPool();
  // The script would say so if its stdin came to an end.
  for (const why of [new Error("broken"), undefined]) {
    const input = new Readable({ read: () => undefined });
    input.push("a part\n");
    const child = await pool.spawn("sh", ["-c", "read line; echo ready >&2; cat; echo end"], {
      input,
      stdio: [null, "capture", "pipe"],
      outputGrace: 0,
    });
    await said(child.stderr, "ready");
    input.destroy(why);
    const { exit, stdout } = await child.result;
    assert.equal(exit.reason, "input-error");
    assert.equal(stdout, "");
  }
});

test("an input stream that fails before the child is started rejects with a LaunchError", async () => {
  await using pool = new ProcessPool({ concurrency: 1 });
  const broken = new Error("the source broke");
  const first = pool.run("cat", [], { input: "" });
  const waiting = new Readable({ read: () => undefined });
  const queued = rejection(pool.run("cat", [], { input: waiting }), LaunchError);
  waiting.destroy(broken);
  const error = await queued;
  assert.equal(error.stage, "input");
  assert.equal(error.cause, broken);
  assert.equal(error.message, 'cannot start "cat": its input failed before: the source broke (input)');
  await first;
  const before = new Readable({ read: () => undefined });
  before.destroy();
  await rejection(pool.run("cat", [], { input: before }), PidpoolError);
});
