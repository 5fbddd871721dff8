import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { LaunchError } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { program, tempDir } from "../helpers/files.ts";
import { childPids } from "../helpers/processes.ts";
import { ProcessPool } from "../helpers/pool.ts";

test("run() resolves to the output and the exit of a program", async () => {
  await using pool = new ProcessPool();
  const result = await pool.run("git", ["--version"]);
  assert.match(result.stdout, /^git version \d+\./);
  assert.equal(result.stderr, "");
  assert.equal(result.file, "git");
  assert.deepEqual(result.args, ["--version"]);
  assert.equal(result.truncated, null);
  assert.deepEqual(result.output, [null, result.stdout, result.stderr]);
  assert.equal(result.exit.status, "exited");
  assert.equal(result.exit.status === "exited" && result.exit.code, 0);
});

test("stdout and stderr are told apart", async () => {
  await using pool = new ProcessPool();
  const { stdout, stderr } = await pool.run("sh", ["-c", "echo out; echo err >&2"]);
  assert.equal(stdout, "out\n");
  assert.equal(stderr, "err\n");
});

test("git works in the directory given as cwd, by path and by URL", async (t) => {
  await using pool = new ProcessPool();
  const cwd = tempDir(t);
  await pool.run("git", ["init", "-q", "."], { cwd });
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
  await pool.run("git", [...identity, "commit", "-q", "--allow-empty", "-m", "first"], { cwd });
  const { stdout: head } = await pool.run("git", ["rev-parse", "HEAD"], { cwd });
  assert.match(head, /^[0-9a-f]{40,64}\n$/);
  const top = await pool.run("git", ["rev-parse", "--show-toplevel"], { cwd: pathToFileURL(cwd) });
  assert.equal(top.stdout, `${cwd}\n`);
  const type = await pool.run("git", ["cat-file", "-t", head.trim()], { cwd: pathToFileURL(`${cwd}/`) });
  assert.equal(type.stdout, "commit\n");
});

test("the default directory is this process's, also after it changed", async (t) => {
  await using pool = new ProcessPool();
  const before = process.cwd();
  t.after(() => process.chdir(before));
  assert.equal((await pool.run("pwd", ["-P"])).stdout, `${before}\n`);
  const dir = tempDir(t);
  process.chdir(dir);
  assert.equal((await pool.run("pwd", ["-P"])).stdout, `${dir}\n`);
  mkdirSync("sub");
  assert.equal((await pool.run("pwd", ["-P"], { cwd: "sub" })).stdout, `${dir}/sub\n`);
});

test("bytes go through gzip and back unharmed", async () => {
  await using pool = new ProcessPool({ encoding: "buffer" });
  const bytes = randomBytes(300_000);
  const zipped = await pool.run("gzip", ["-c"], { input: bytes, encoding: "buffer" });
  assert.ok(Buffer.isBuffer(zipped.stdout));
  assert.deepEqual(gunzipSync(zipped.stdout), bytes);
  const back = await pool.run("gzip", ["-dc"], { input: gzipSync(bytes), encoding: "buffer" });
  assert.deepEqual(back.stdout, bytes);
});

test("sha256sum agrees with node:crypto", async () => {
  await using pool = new ProcessPool();
  const bytes = randomBytes(1_000_000);
  const { stdout } = await pool.run("sha256sum", ["-"], { input: bytes });
  assert.equal(stdout, `${createHash("sha256").update(bytes).digest("hex")}  -\n`);
});

test("Node runs under its own path", async () => {
  await using pool = new ProcessPool();
  const { stdout } = await pool.run(process.execPath, ["-p", "process.version"]);
  assert.equal(stdout, `${process.version}\n`);
});

test("a python3 script runs", async (t) => {
  await using pool = new ProcessPool();
  const script = join(tempDir(t), "sum.py");
  writeFileSync(script, "import sys\nprint(sum(int(line) for line in sys.stdin))\n");
  const { stdout } = await pool.run("python3", [script], { input: "1\n2\n39\n" });
  assert.equal(stdout, "42\n");
});

test("arguments arrive as they are: empty, with spaces, newlines, quotes, other scripts", async () => {
  await using pool = new ProcessPool();
  const args = ["", " a b ", "new\nline", "\"'$HOME`*", "žluťoučký 🐎", "--", "-x"];
  const { stdout } = await pool.run(process.execPath, ["-p", "JSON.stringify(process.argv.slice(1))", "--", ...args]);
  assert.deepEqual(JSON.parse(stdout), args);
});

test("argv0 is what the child sees as its name; by default the file as given", async () => {
  await using pool = new ProcessPool();
  const named = await pool.run(process.execPath, ["-p", "process.argv0"], { argv0: "another name" });
  assert.equal(named.stdout, "another name\n");
  const unnamed = await pool.run(process.execPath, ["-p", "process.argv0"]);
  assert.equal(unnamed.stdout, `${process.execPath}\n`);
});

test("the file may be a URL, and a name with a slash is relative to the child's cwd", async (t) => {
  await using pool = new ProcessPool();
  const cwd = tempDir(t);
  const tool = program(cwd, "tool", "#!/bin/sh\necho tool\n");
  assert.equal((await pool.run(pathToFileURL(tool))).stdout, "tool\n");
  assert.equal((await pool.run("./tool", [], { cwd })).stdout, "tool\n");
  await rejection(pool.run("./tool"), LaunchError);
});

test("a name without a slash is looked up in the child's PATH, not in the parent's", async (t) => {
  await using pool = new ProcessPool();
  const dir = tempDir(t);
  program(dir, "pidpool-tool", "#!/bin/sh\necho found\n");
  assert.equal((await pool.run("pidpool-tool", [], { env: { PATH: `/nonexistent:${dir}` } })).stdout, "found\n");
  await rejection(pool.run("pidpool-tool"), LaunchError);
  await rejection(pool.run("git", ["--version"], { env: { PATH: dir } }), LaunchError);
});

test("the PATH lookup goes past files that cannot be executed, as execvp(3) does", async (t) => {
  await using pool = new ProcessPool();
  const dir = tempDir(t);
  for (const sub of ["first", "second", "third"]) mkdirSync(join(dir, sub));
  mkdirSync(join(dir, "first", "pidpool-tool"));
  chmodSync(program(join(dir, "second"), "pidpool-tool", "#!/bin/sh\necho second\n"), 0o644);
  program(join(dir, "third"), "pidpool-tool", "#!/bin/sh\necho third\n");
  const PATH = ["first", "second", "third"].map((sub) => join(dir, sub)).join(":");
  assert.equal((await pool.run("pidpool-tool", [], { env: { PATH } })).stdout, "third\n");
});

test("without a PATH in its environment, a program is found in /bin and /usr/bin", async () => {
  await using pool = new ProcessPool();
  assert.equal((await pool.run("echo", ["hi"], { env: {} })).stdout, "hi\n");
});

test("encoding says how output is delivered", async () => {
  await using pool = new ProcessPool();
  const bytes = Buffer.from([0xc3, 0xa9, 0x00, 0xff]);
  for (const encoding of ["utf8", "latin1", "hex", "base64", "utf16le"] as const) {
    assert.equal((await pool.run("cat", [], { input: bytes, encoding })).stdout, bytes.toString(encoding), encoding);
  }
  assert.deepEqual((await pool.run("cat", [], { input: bytes, encoding: "buffer" })).stdout, bytes);
});

test("options of the pool are defaults for its children, which may override them", async (t) => {
  const dir = tempDir(t);
  await using pool = new ProcessPool({ cwd: dir, check: false, env: { WORD: "pool" } });
  const script = ["-c", "pwd -P; echo $WORD; exit 3"];
  assert.equal((await pool.run("/bin/sh", script)).stdout, `${dir}\npool\n`);
  assert.equal((await pool.run("/bin/sh", script, { cwd: "/", env: { WORD: "own" } })).stdout, "/\nown\n");
  assert.equal((await pool.run("/bin/sh", script, { cwd: undefined })).stdout, `${dir}\npool\n`);
  await assert.rejects(pool.run("/bin/sh", script, { check: true }), { code: "ERR_EXIT" });
});

test("no child is left, not even as a zombie, once run() has settled", async () => {
  await using pool = new ProcessPool();
  await Promise.all(Array.from({ length: 20 }, (_, i) => pool.run("sh", ["-c", `exit ${i % 2}`], { check: false })));
  assert.deepEqual(childPids(), []);
});
