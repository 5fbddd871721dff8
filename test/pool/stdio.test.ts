import assert from "node:assert/strict";
import { once } from "node:events";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { StdioOption } from "pidpool";
import { tempDir } from "../helpers/files.ts";
import { ProcessPool } from "../helpers/pool.ts";

/** Says on its stdout where its fds 0 to 2 lead. */
const WHERE = ["-c", "readlink /proc/self/fd/0; readlink /proc/self/fd/1; readlink /proc/self/fd/2"];

test('"ignore" is /dev/null, for reading and for writing', async () => {
  await using pool = new ProcessPool();
  const { stdout, stderr } = await pool.run("sh", WHERE, { stdio: ["ignore", "capture", "ignore"] });
  assert.match(stdout, /^\/dev\/null\npipe:\[\d+\]\n\/dev\/null\n$/);
  assert.equal(stderr, null);
  const silent = await pool.run("sh", ["-c", "cat; echo out; echo err >&2"], { stdio: "ignore" });
  assert.equal(silent.stdout, null);
  assert.equal(silent.stderr, null);
  assert.deepEqual(silent.output, [null, null, null]);
});

test('run() captures by default, and gives /dev/null as stdin; "capture" for all is the same', async () => {
  await using pool = new ProcessPool();
  const ways: (StdioOption | undefined)[] = [undefined, "capture", [], [null, undefined, "capture"]];
  for (const stdio of ways) {
    const { stdout } = await pool.run("sh", WHERE, { stdio });
    assert.match(String(stdout), /^\/dev\/null\npipe:\[(\d+)\]\npipe:\[(?!\1\])\d+\]\n$/);
  }
});

test('"inherit" gives the child this process\'s own fds', () => {
  const fixture = fileURLToPath(new URL("../fixtures/inherit.js", import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [fixture], {
    input: "through two processes\n",
    encoding: "utf8",
  });
  assert.equal(stdout, "through two processes\n");
  assert.equal(stderr, "error\n");
  assert.equal(status, 0);
});

test("spawn() gives streams by default", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("sh", ["-c", "cat; echo error >&2"]);
  child.stdin.end("input\n");
  assert.deepEqual(await Promise.all([text(child.stdout), text(child.stderr)]), ["input\n", "error\n"]);
  assert.equal((await child.exited).reason, "exit");
});

test("a stream is null where spawn() was told something else, and captured output comes with the result", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("sh", ["-c", "echo out; echo err >&2"], { stdio: ["ignore", "capture", "pipe"] });
  assert.equal(child.stdin, null);
  assert.equal(child.stdout, null);
  assert.equal(await text(child.stderr), "err\n");
  const result = await child.result;
  assert.equal(result.stdout, "out\n");
  assert.equal(result.stderr, null);
});

test("an fd of this process may be given, twice for 2>&1, and stays open here", async (t) => {
  await using pool = new ProcessPool();
  const file = join(tempDir(t), "log");
  const fd = openSync(file, "w");
  const { stdout, stderr } = await pool.run("sh", ["-c", "echo 1; echo 2 >&2; echo 3"], { stdio: ["ignore", fd, fd] });
  assert.equal(stdout, null);
  assert.equal(stderr, null);
  writeFileSync(fd, "4\n");
  closeSync(fd);
  assert.equal(readFileSync(file, "utf8"), "1\n2\n3\n4\n");
});

test("fds may trade places", async (t) => {
  await using pool = new ProcessPool();
  const dir = tempDir(t);
  // Children whose target numbers are the parent's numbers of other fds.
  const fds = Array.from({ length: 4 }, (_, i) => openSync(join(dir, `${i}`), "w"));
  t.after(() => fds.forEach(closeSync));
  const stdio: (number | undefined)[] = [];
  fds.forEach((fd, i) => (stdio[fd] = fds[(i + 1) % fds.length]));
  const script = fds.map((fd) => `echo ${fd} > /proc/self/fd/${fd}`).join("; ");
  await pool.run("sh", ["-c", script], { stdio: Array.from(stdio) });
  const texts = fds.map((_, i) => readFileSync(join(dir, `${i}`), "utf8"));
  assert.deepEqual(
    texts,
    fds.map((_, i) => `${fds[(i + fds.length - 1) % fds.length]}\n`),
  );
});

test("{ file } is written anew, appended to, or read", async (t) => {
  await using pool = new ProcessPool();
  const file = join(tempDir(t), "out");
  const echo = ["-c", "echo $0", "first"];
  await pool.run("sh", echo, { stdio: ["ignore", { file }, "capture"] });
  assert.equal(readFileSync(file, "utf8"), "first\n");
  await pool.run("echo", ["2"], { stdio: ["ignore", { file }, "capture"] });
  assert.equal(readFileSync(file, "utf8"), "2\n");
  await pool.run("echo", ["3"], { stdio: ["ignore", { file: pathToFileURL(file), append: true }, "capture"] });
  assert.equal(readFileSync(file, "utf8"), "2\n3\n");
  assert.equal((await pool.run("cat", [], { stdio: [{ file }] })).stdout, "2\n3\n");
  const third = await pool.run("sh", ["-c", "cat <&3"], { stdio: [null, null, null, { file, read: true }] });
  assert.equal(third.stdout, "2\n3\n");
});

test("{ file } is relative to the child's cwd, and its mode is 0666 less the child's umask", async (t) => {
  await using pool = new ProcessPool();
  const cwd = tempDir(t);
  await pool.run("echo", ["x"], { cwd, umask: 0o027, stdio: ["ignore", { file: "out" }, "capture"] });
  assert.equal(readFileSync(join(cwd, "out"), "utf8"), "x\n");
  assert.equal(statSync(join(cwd, "out")).mode & 0o777, 0o640);
});

test("two entries for one file open it twice", async (t) => {
  await using pool = new ProcessPool();
  const file = join(tempDir(t), "log");
  const append = { file, append: true };
  await pool.run("sh", ["-c", "echo 1; echo 2 >&2; echo 3"], { stdio: ["ignore", append, append] });
  assert.equal(readFileSync(file, "utf8"), "1\n2\n3\n");
});

test("further fds by index: captured, a file, an fd of this process, and closed between", async (t) => {
  await using pool = new ProcessPool();
  const dir = tempDir(t);
  const own = openSync(join(dir, "own"), "w");
  t.after(() => closeSync(own));
  const script =
    "echo three >&3; echo four >&4; (echo five >&5) 2>/dev/null || echo no five; echo six >&6; echo seven >&7";
  const { stdout, output } = await pool.run("sh", ["-c", script], {
    stdio: ["ignore", "capture", "capture", "capture", { file: join(dir, "four") }, null, own, "capture"],
  });
  assert.equal(stdout, "no five\n");
  assert.deepEqual(output, [null, "no five\n", "", "three\n", null, null, null, "seven\n"]);
  assert.equal(readFileSync(join(dir, "four"), "utf8"), "four\n");
  assert.equal(readFileSync(join(dir, "own"), "utf8"), "six\n");
});

test('"pipe" on a further fd is a duplex stream', async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("sh", ["-c", "read line <&3; echo got $line >&3"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  assert.deepEqual(
    child.stdio.slice(0, 3).map((stream) => stream ?? null),
    [null, null, null],
  );
  const duplex = child.stdio[3] as Duplex;
  duplex.write("a message\n");
  assert.equal(await text(duplex), "got a message\n");
  await child.exited;
});

test("streams of spawn() may hold output longer than the child lives", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("echo", ["still there"]);
  await child.exited;
  assert.equal(await text(child.stdout), "still there\n");
});

test("the stdin of a child that has ended is closed, though nobody has ended it", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  const closed = once(child.stdin, "close");
  child.kill("SIGKILL");
  await child.exited;
  await closed;
  // What is still written goes nowhere, and crashes nobody.
  const refused = await new Promise((resolve) => child.stdin.write("too late", resolve));
  assert.equal((refused as NodeJS.ErrnoException).code, "ERR_STREAM_DESTROYED");
});

test("neither the pool nor its children disturb child_process", async () => {
  await using pool = new ProcessPool();
  const run = pool.run("echo", ["pool"]);
  assert.equal(execFileSync("echo", ["child_process"], { encoding: "utf8" }), "child_process\n");
  assert.equal((await run).stdout, "pool\n");
});
