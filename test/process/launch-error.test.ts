import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { LaunchError, type RunOptions } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { program, tempDir } from "../helpers/files.ts";
import { refusal } from "../helpers/isolation.ts";
import { childPids, openFds, until } from "../helpers/processes.ts";
import { ProcessPool } from "../helpers/pool.ts";

/** What the error must be, and that run() and spawn() agree and leave neither fd nor process. */
async function fails(
  launch: { file: string; args?: readonly string[]; options?: RunOptions },
  expected: { stage: string; errno: string; syscall: string; why: RegExp },
): Promise<void> {
  await using pool = new ProcessPool({ threads: 1 });
  await pool.run("true");
  const before = openFds();
  const { file, args = [], options } = launch;
  for (let i = 0; i < 3; i++) {
    for (const kind of ["run", "spawn"] as const) {
      const call: Promise<unknown> = kind === "run" ? pool.run(file, args, options) : pool.spawn(file, args, options);
      const error = await rejection(call, LaunchError);
      assert.equal(error.code, "ERR_LAUNCH");
      assert.equal(error.name, "LaunchError");
      assert.equal(error.file, file);
      assert.equal(error.stage, expected.stage);
      assert.equal(error.errno, expected.errno);
      assert.equal(error.syscall, expected.syscall);
      assert.ok(error.message.startsWith(`cannot start ${JSON.stringify(file)}: `), error.message);
      assert.ok(error.message.endsWith(` (${expected.stage}: ${expected.errno})`), error.message);
      assert.match(error.message, expected.why);
      assert.deepEqual(childPids(), []);
    }
  }
  // Streams close their fds in the event loop's own time.
  await until(() => openFds().length === before.length);
  assert.deepEqual(openFds(), before);
  assert.equal(pool.stats().children, 0);
  assert.equal((await pool.run("echo", ["goes on"])).stdout, "goes on\n");
}

const exec = (errno: string, why: RegExp): { stage: string; errno: string; syscall: string; why: RegExp } => ({
  stage: "execve",
  syscall: "execve",
  errno,
  why,
});

test("a program that is not in PATH", () =>
  fails({ file: "no-such-program" }, exec("ENOENT", /there is no such program in the child's PATH \(.*bin.*\)/)));

test("a program that is not in the PATH of the child's own env", () =>
  fails(
    { file: "git", options: { env: { PATH: "/nonexistent" } } },
    exec("ENOENT", /in the child's PATH \(\/nonexistent\)/),
  ));

test("a program that is not found without a PATH", () =>
  fails(
    { file: "no-such-program", options: { env: {} } },
    exec("ENOENT", /in \/bin or \/usr\/bin \(the child's PATH is unset\)/),
  ));

test("a file that does not exist", () =>
  fails({ file: "/nonexistent/program" }, exec("ENOENT", /there is no such file/)));

test("a path through something that is no directory", () =>
  fails({ file: "/etc/passwd/program" }, exec("ENOTDIR", /not a directory/)));

test("a file that is not executable", (t) => {
  const file = join(tempDir(t), "file");
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, 0o644);
  return fails({ file }, exec("EACCES", /it is not executable \(chmod \+x\)/));
});

test("a directory", (t) => fails({ file: tempDir(t) }, exec("EACCES", /it is a directory/)));

test("a file in PATH that is not executable", (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, "tool"), "");
  return fails({ file: "tool", options: { env: { PATH: dir } } }, exec("EACCES", /it is not executable/));
});

test("a script whose interpreter does not exist", (t) => {
  const file = program(tempDir(t), "script", "#!/nonexistent/interpreter -x\n");
  return fails({ file }, exec("ENOENT", /it exists, but its interpreter "\/nonexistent\/interpreter" does not/));
});

/** tempDir() may be elsewhere. */
function inTmp(t: TestContext): string {
  const dir = mkdtempSync("/tmp/pidpool-");
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test("what the child's own /tmp hides is not said to be missing", async (t) => {
  const isolation = { mount: { tmp: true } };
  const none = await refusal(isolation);
  if (none !== false) return t.skip(none);
  const dir = inTmp(t);
  const link = join(tempDir(t), "link");
  const file = program(dir, "tool", "#!/bin/sh\n");
  symlinkSync(file, link);
  const options = { isolation, cwd: "/" };
  const hidden = /"\/.*" lies beneath \/tmp, in whose place isolation.mount.tmp gives the child an empty one/;
  await fails({ file, options }, exec("ENOENT", hidden));
  await fails({ file: link, options }, exec("ENOENT", hidden));
  await fails({ file: "tool", options: { ...options, env: { PATH: dir } } }, exec("ENOENT", hidden));
  await fails({ file: `${dir}/none`, options }, exec("ENOENT", /there is no such file/));
  await fails(
    { file: "true", options: { ...options, cwd: dir } },
    { stage: "chdir", syscall: "chdir", errno: "ENOENT", why: hidden },
  );
  await fails(
    { file: "true", options: { ...options, stdio: ["ignore", { file: `${dir}/out` }, "ignore"] } },
    open("ENOENT", hidden),
  );
  return undefined;
});

test("a script without #!", (t) => {
  const file = program(tempDir(t), "script", "echo hello\n");
  return fails({ file }, exec("ENOEXEC", /a script needs a first line such as "#!\/bin\/sh"/));
});

test("an empty executable file", (t) =>
  fails({ file: program(tempDir(t), "empty", "") }, exec("ENOEXEC", /no program that the kernel knows/)));

test("a symbolic link to itself", (t) => {
  const file = join(tempDir(t), "loop");
  symlinkSync("loop", file);
  return fails({ file }, exec("ELOOP", /too many symbolic links/));
});

test("arguments that are too long together", () =>
  fails(
    { file: "true", args: Array.from({ length: 2000 }, () => "x".repeat(4000)) },
    exec("E2BIG", /arguments and environment together are too long/),
  ));

test("one argument that is too long", () =>
  fails({ file: "true", args: ["x".repeat(1 << 20)] }, exec("E2BIG", /too long/)));

test("a missing working directory is not taken for a missing program", () =>
  fails(
    { file: "true", options: { cwd: "/nonexistent/directory" } },
    {
      stage: "chdir",
      syscall: "chdir",
      errno: "ENOENT",
      why: /the working directory "\/nonexistent\/directory" does not exist/,
    },
  ));

test("a working directory that is a file", () =>
  fails(
    { file: "true", options: { cwd: "/etc/passwd" } },
    {
      stage: "chdir",
      syscall: "chdir",
      errno: "ENOTDIR",
      why: /the working directory "\/etc\/passwd" is not a directory/,
    },
  ));

const open = (errno: string, why: RegExp): { stage: string; errno: string; syscall: string; why: RegExp } => ({
  stage: "open",
  syscall: "openat",
  errno,
  why,
});

test("an output file in a directory that does not exist", () =>
  fails(
    { file: "true", options: { stdio: ["ignore", { file: "/nonexistent/out" }, "ignore"] } },
    open("ENOENT", /the directory of "\/nonexistent\/out" does not exist/),
  ));

test("an input file that does not exist", () =>
  fails(
    { file: "true", options: { stdio: [{ file: "/etc/nonexistent" }, "ignore", "ignore"] } },
    open("ENOENT", /the file "\/etc\/nonexistent" does not exist/),
  ));

test("which of several files does not exist", (t) => {
  const cwd = tempDir(t);
  writeFileSync(join(cwd, "there"), "");
  return fails(
    { file: "true", options: { cwd, stdio: [{ file: "there" }, { file: "out" }, { file: "missing/err" }] } },
    open("ENOENT", /the directory of ".*\/missing\/err" does not exist/),
  );
});

test("an output file that is a directory", (t) => {
  const file = tempDir(t);
  return fails(
    { file: "true", options: { stdio: ["ignore", { file }, "ignore"] } },
    open("EISDIR", /cannot be opened: illegal operation on a directory/),
  );
});

test("an output file that cannot be made, not even by root", () => {
  return fails(
    { file: "true", options: { stdio: ["ignore", { file: "/proc/self/nonexistent" }, "ignore"] } },
    open("ENOENT", /\/proc\/self/),
  );
});

test("an input and a captured stream leave nothing behind either", () =>
  fails(
    {
      file: "/nonexistent",
      options: { input: Buffer.alloc(1 << 20), stdio: ["pipe", "capture", "capture", "capture"] },
    },
    exec("ENOENT", /no such file/),
  ));

test("failures and successes at the same time are told apart", async (t) => {
  await using pool = new ProcessPool({ concurrency: 8, threads: 2 });
  const dir = tempDir(t);
  mkdirSync(join(dir, "sub"));
  const calls = Array.from({ length: 40 }, (_, i) =>
    i % 2 === 0 ? pool.run("echo", [`${i}`]) : pool.run(join(dir, `${i}`)),
  );
  for (const [i, outcome] of (await Promise.allSettled(calls)).entries()) {
    if (outcome.status === "fulfilled") assert.equal(outcome.value.stdout, `${i}\n`);
    else assert.equal((outcome.reason as LaunchError).file, join(dir, `${i}`));
    assert.equal(outcome.status, i % 2 === 0 ? "fulfilled" : "rejected");
  }
  assert.deepEqual(childPids(), []);
});
