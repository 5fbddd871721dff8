// What reports say beside the status: what we did, which limit it was, where
// the core went.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { explain, type ExitReport } from "pidpool";
import { said } from "../helpers/wait.ts";
import { ProcessPool } from "../helpers/pool.ts";

const IGNORES = "trap '' TERM; echo ready; while :; do sleep 0.01; done";

test("an end of the child's own has nothing of ours in it", async () => {
  await using pool = new ProcessPool();
  for (const script of ["exit 0", "exit 3", "kill -9 $$"]) {
    const { exit } = await pool.run("sh", ["-c", script], { check: false, isolation: "none" });
    assert.deepEqual([exit.stopped, exit.limit, exit.cgroup], [null, null, null]);
    assert.equal(exit.status === "signaled" ? exit.core : null, null);
  }
});

test("a timeout that was obeyed, and an abort that needed SIGKILL", async () => {
  await using pool = new ProcessPool({ isolation: "none", check: false });
  const obeyed = await pool.run("sleep", ["1000"], { timeout: 20, killSignal: "SIGINT" });
  assert.deepEqual(obeyed.exit.stopped, { by: "timeout", signal: "SIGINT", escalated: false });
  const abort = new AbortController();
  const child = await pool.spawn("sh", ["-c", IGNORES], { signal: abort.signal, killAfter: 10 });
  await said(child.stdout, "ready");
  abort.abort();
  const ignored = await child.exited;
  assert.deepEqual(ignored.stopped, { by: "aborted", signal: "SIGTERM", escalated: true });
  assert.equal(ignored.status === "signaled" && ignored.signal, "SIGKILL");
  assert.match(explain(ignored), /the pool sent SIGTERM, and SIGKILL when that did not end it/);
});

test("SIGKILL that was asked for is no escalation", async () => {
  await using pool = new ProcessPool({ check: false });
  const { exit } = await pool.run("sleep", ["1000"], { timeout: 20, killSignal: "SIGKILL" });
  assert.deepEqual(exit.stopped, { by: "timeout", signal: "SIGKILL", escalated: false });
});

test("an abort, and the end of the pool", async () => {
  const pool = new ProcessPool({ isolation: "none", check: false });
  const abort = new AbortController();
  const aborted = await pool.spawn("sleep", ["1000"], { signal: abort.signal });
  const ended = await pool.spawn("sleep", ["1000"]);
  abort.abort();
  assert.deepEqual((await aborted.exited).stopped, { by: "aborted", signal: "SIGTERM", escalated: false });
  await pool.destroy();
  assert.deepEqual((await ended.exited).stopped, { by: "shutdown", signal: "SIGKILL", escalated: false });
});

test("kill() is said to have been it, with the last signal that could end the child", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const child = await pool.spawn("sh", ["-c", "trap '' USR1; echo ready; while :; do sleep 0.01; done"]);
  await said(child.stdout, "ready");
  child.kill("SIGUSR1");
  child.kill("SIGHUP");
  child.kill("SIGCONT");
  child.kill(0);
  assert.deepEqual((await child.exited).stopped, { by: "kill", signal: "SIGHUP", escalated: false });
});

test("what the pool did first stands, whatever kill() did later", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const stubborn = "trap 'echo got it' TERM; echo ready; while :; do sleep 0.01; done";
  const abort = new AbortController();
  const child = await pool.spawn("sh", ["-c", stubborn], { signal: abort.signal, killAfter: Infinity });
  await said(child.stdout, "ready");
  abort.abort();
  await said(child.stdout, "got it");
  child.kill("SIGKILL");
  assert.deepEqual((await child.exited).stopped, { by: "aborted", signal: "SIGTERM", escalated: true });
});

test("a handle that is disposed of says so, and whether SIGKILL was needed", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  let exited: Promise<ExitReport>;
  {
    await using child = await pool.spawn("sh", ["-c", IGNORES], { killAfter: 10 });
    await said(child.stdout, "ready");
    exited = child.exited;
  }
  assert.deepEqual((await exited).stopped, { by: "kill", signal: "SIGTERM", escalated: true });
});

test("maxOutput: which fd, whether seen while it ran or only afterwards", async () => {
  await using pool = new ProcessPool({ isolation: "none", check: false, maxOutput: 100 });
  const running = await pool.run("sh", ["-c", "yes >&2"]);
  assert.deepEqual(running.exit.limit, { name: "maxOutput", value: 100, fd: 2 });
  assert.deepEqual(running.exit.stopped, { by: "output-limit", signal: "SIGTERM", escalated: false });
  const stdio = [undefined, "capture", "capture", "capture"] as const;
  const third = await pool.run("sh", ["-c", "yes >&3"], { stdio });
  assert.deepEqual(third.exit.limit, { name: "maxOutput", value: 100, fd: 3 });
});

test("maxOutput: of several fds that write too much, the one that did so first", async () => {
  await using pool = new ProcessPool({ isolation: "none", check: false, maxOutput: 100 });
  for (const [first, then] of [
    [1, 2],
    [2, 1],
  ] as const) {
    // SIGTERM tells that the first one was found; until then the second writes nothing.
    const script = `trap 'seq 100 >&${then}; exit 3' TERM; seq 100 >&${first}; while :; do sleep 0.01; done`;
    const { exit } = await pool.run("sh", ["-c", script]);
    assert.deepEqual(exit.limit, { name: "maxOutput", value: 100, fd: first });
  }
});

test("limits.cpuSeconds and limits.fileSize", async (t) => {
  await using pool = new ProcessPool({ isolation: "none", check: false });
  const cpu = await pool.run("sh", ["-c", "while :; do :; done"], { limits: { cpuSeconds: 1 } });
  assert.deepEqual(cpu.exit.limit, { name: "cpuSeconds", value: 1 });
  assert.equal(cpu.exit.stopped, null);
  const cwd = directory(t);
  const size = await pool.run("dd", ["if=/dev/zero", "of=big", "bs=1000", "count=9"], {
    cwd,
    limits: { fileSize: 999 },
  });
  assert.deepEqual(size.exit.limit, { name: "fileSize", value: 999 });
});

function directory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "pidpool-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** How this machine dumps; null where it dumps to no file in the working directory. */
function simplePattern(): string | null {
  const pattern = readFileSync("/proc/sys/kernel/core_pattern", "latin1").trim();
  return /^[\w.]*(%[pPes][\w.]*)*$/.test(pattern) ? pattern : null;
}

test("a core dump is found where it lies", async (t) => {
  if (simplePattern() === null) return t.skip("core_pattern names no file in the working directory");
  await using pool = new ProcessPool({ isolation: "none", check: false });
  const cwd = directory(t);
  const { exit } = await pool.run("sh", ["-c", "ulimit -c unlimited && kill -SEGV $$"], { cwd });
  if (exit.status !== "signaled" || !exit.coreDumped) return t.skip("this machine dumps no core for anyone");
  assert.equal(exit.core?.to, "file");
  const { where } = exit.core;
  assert.ok(where !== null && where.startsWith(`${cwd}/`) && existsSync(where), String(where));
  assert.match(explain(exit), new RegExp(`its core dump is ${where}$`));
  return undefined;
});

test("a core dump that is gone already is nowhere", async (t) => {
  if (simplePattern() === null) return t.skip("core_pattern names no file in the working directory");
  await using pool = new ProcessPool({ isolation: "none", check: false });
  const cwd = directory(t);
  // It dumps where it has gone to.
  const script = "mkdir elsewhere && cd elsewhere && ulimit -c unlimited && kill -ABRT $$";
  const { exit } = await pool.run("sh", ["-c", script], { cwd });
  if (exit.status !== "signaled" || !exit.coreDumped) return t.skip("this machine dumps no core for anyone");
  assert.deepEqual([exit.core?.to, exit.core?.where], ["file", null]);
  assert.match(explain(exit), /its core dump was not found$/);
  return undefined;
});

test("no core, where the child's limit forbids it", async () => {
  await using pool = new ProcessPool({ isolation: "none", check: false, limits: { core: 0 } });
  const { exit } = await pool.run("sh", ["-c", "kill -SEGV $$"]);
  assert.equal(exit.status, "signaled");
  // A program behind core_pattern is asked all the same.
  if (!readFileSync("/proc/sys/kernel/core_pattern", "latin1").startsWith("|"))
    assert.deepEqual([exit.coreDumped, exit.core], [false, null]);
});
