// The sockets of notifications as files: where they are, and that they go.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { candidates } from "#pidpool/pool/notify/place.js";
import { startFixture } from "../helpers/fixture.ts";
import { AS_NOBODY, notNobody } from "../helpers/nobody.ts";
import { guardianPids, hasCommands, isAlive, openFds, until } from "../helpers/processes.ts";
import { ProcessPool } from "../helpers/pool.ts";
import { refusal } from "../helpers/isolation.ts";

/** Path of a new child's socket. */
async function socketOf(pool: ProcessPool, options: object = {}): Promise<string> {
  const run = await pool.run("sh", ["-c", "echo $NOTIFY_SOCKET"], {
    notify: true,
    ...options,
    stdio: "capture",
    encoding: "utf8",
  });
  return run.stdout.trim();
}

/** Directories of a process. */
function directoriesOf(pid: number): string[] {
  return candidates().flatMap((base) =>
    (existsSync(base) ? readdirSync(base) : [])
      .filter((name) => name.startsWith(`pidpool-notify-${pid}-`))
      .map((name) => join(base, name)),
  );
}

test("a socket is there as long as its child, its directory as long as its pool", async () => {
  const pool = new ProcessPool({ isolation: "none" });
  const other = new ProcessPool({ isolation: "none" });
  const child = await pool.spawn("cat", [], { notify: true, stdio: ["pipe", "ignore", "ignore"] });
  const [directory = ""] = directoriesOf(process.pid);
  assert.equal(lstatSync(directory).mode & 0o777, 0o711);
  const names = readdirSync(directory);
  assert.equal(names.length, 1);
  const socket = lstatSync(join(directory, names[0] ?? ""));
  assert.ok(socket.isSocket());
  assert.equal(socket.mode & 0o777, 0o666);
  assert.equal(dirname(await socketOf(pool)), directory);
  const others = dirname(await socketOf(other));
  assert.notEqual(others, directory);
  child.stdin.end();
  await child.exited;
  assert.deepEqual(readdirSync(directory), []);
  await pool.close();
  assert.deepEqual([existsSync(directory), existsSync(others), guardianPids().length], [false, true, 1]);
  await other.close();
  assert.deepEqual([existsSync(others), guardianPids()], [false, []]);
});

test(
  "children of all kinds share one directory and one guardian, and wait for it together",
  { skip: await refusal("shared") },
  async () => {
    await using pool = new ProcessPool({ isolation: "none" });
    const paths = await Promise.all([
      ...Array.from({ length: 8 }, () => socketOf(pool)),
      socketOf(pool, { isolation: "shared" }),
      socketOf(pool, { isolation: { mount: { tmp: true } }, cwd: "/" }),
    ]);
    assert.equal(new Set(paths).size, paths.length);
    assert.equal(new Set(paths.map((path) => dirname(path))).size, 1);
    assert.equal(guardianPids().length, 1);
  },
);

test("destroy() while the directory is being made leaves nothing", async () => {
  for (let turns = 0; turns < 12; turns++) {
    const pool = new ProcessPool({ isolation: "none", threads: 1 });
    const run = pool.run("sleep", ["1000"], { notify: true }).catch((error: unknown) => error);
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    await pool.destroy();
    await run;
    assert.deepEqual([directoriesOf(process.pid), guardianPids()], [[], []], `after ${turns} turns`);
  }
});

test("one that was removed by someone else is made anew", async () => {
  await using pool = new ProcessPool();
  const first = dirname(await socketOf(pool));
  for (let i = 0; i < 2; i++) {
    rmSync(first, { recursive: true });
    assert.equal(dirname(await socketOf(pool)), first);
    assert.equal(lstatSync(first).mode & 0o777, 0o711);
  }
});

test(
  "a child with a /tmp of its own does not look for its socket there",
  { skip: await refusal("shared") },
  async () => {
    await using pool = new ProcessPool();
    const path = await socketOf(pool, { isolation: { mount: { tmp: true } }, cwd: "/" });
    assert.ok(!path.startsWith("/tmp/"), path);
  },
);

test("launches that fail, are aborted or are taken back leave neither fd nor file", async () => {
  const pool = new ProcessPool({ concurrency: 8, threads: 1 });
  await socketOf(pool);
  const [directory = ""] = directoriesOf(process.pid);
  const before = openFds().length;
  for (const notify of [true, { fd: 4 }]) {
    await Promise.allSettled([
      pool.run("no-such-program", [], { notify }),
      pool.run("true", [], { notify, cwd: "/no/such/directory" }),
      pool.run("true", ["x".repeat(3_000_000)], { notify }),
      pool.run("sleep", ["100"], { notify, timeout: 10 }),
      pool.run("sleep", ["100"], { notify, signal: AbortSignal.timeout(10) }),
      pool.run("sh", ["-c", "sleep 0.2 & echo held"], { notify, outputGrace: 10 }),
      ...Array.from({ length: 50 }, () => pool.run("true", [], { notify, signal: AbortSignal.timeout(1) })),
    ]);
  }
  await until(() => openFds().length <= before);
  assert.deepEqual(readdirSync(directory), []);
  const late = pool.run("sleep", ["100"], { notify: true }).catch(() => "ended");
  await pool.destroy();
  assert.equal(await late, "ended");
  assert.ok(!existsSync(directory));
});

test("it goes with the process, however that ends", async () => {
  const polite = startFixture("notify", ["exit"]);
  const first = await polite.line();
  await polite.ended;
  assert.ok(!existsSync(first), first);
  for (const signal of ["SIGKILL", "SIGTERM", "SIGSEGV"] as const) {
    const killed = startFixture("notify", ["wait"], ["prlimit", "--core=0"]);
    const left = await killed.line();
    assert.ok(readdirSync(left).length > 0);
    killed.process.kill(signal);
    await killed.ended;
    await until(() => !existsSync(left));
  }
});

test("a guardian that was killed is replaced; the next process removes what both leave that are killed together", async () => {
  const killed = startFixture("notify", ["wait"]);
  const left = await killed.line();
  const { pid = 0 } = killed.process;
  const [guardian = 0] = guardianPids(pid);
  process.kill(guardian, "SIGKILL");
  await until(() => guardianPids(pid).some((other) => other !== guardian && isAlive(other)));
  killed.process.kill("SIGSTOP");
  for (const other of [...guardianPids(pid), pid]) process.kill(other, "SIGKILL");
  await killed.ended;
  assert.ok(readdirSync(left).length > 0);
  await using pool = new ProcessPool();
  assert.equal(dirname(dirname(await socketOf(pool))), dirname(left));
  assert.ok(!existsSync(left), left);
});

test(
  "a pool whose process has become another user ends, and leaves no directory that this one may not remove",
  { skip: notNobody },
  async () => {
    const { code, stdout, stderr } = await startFixture("drops-rights").ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /pidpool-notify-/);
    assert.ok(!existsSync(stdout), stdout);
  },
);

test("a worker thread that is terminated leaves one, until the next one is made, or the process ends", async () => {
  const code = `
    const { parentPort } = require("node:worker_threads");
    import("pidpool").then(async ({ ProcessPool }) => {
      const pool = new ProcessPool({ isolation: "none" });
      const { stdout } = await pool.run("sh", ["-c", "echo $NOTIFY_SOCKET"], { notify: true });
      parentPort.postMessage(stdout.trim());
      setInterval(() => {}, 1000);
    });`;
  const paths: string[] = [];
  const workers: Worker[] = [];
  for (let i = 0; i < 2; i++) {
    const worker = new Worker(code, { eval: true });
    workers.push(worker);
    const [path] = (await once(worker, "message")) as [string];
    paths.push(dirname(path));
  }
  // Each thread has its own, and none is taken away while its thread lives.
  assert.equal(new Set(paths).size, 2);
  assert.ok(paths.every((path) => existsSync(path)));
  for (const worker of workers) await worker.terminate();
  await using pool = new ProcessPool();
  await socketOf(pool);
  for (const path of paths) assert.ok(!existsSync(path), path);
});

test("one who sees other start times, in another time namespace, takes away nothing", async (t) => {
  const elsewhere = ["unshare", "--time", "--boottime", "1000000"];
  const { status, stderr: refused } = spawnSync(elsewhere[0] ?? "", [...elsewhere.slice(1), "true"]);
  if (status !== 0) return t.skip(`unshare --time: ${refused === null ? "not there" : String(refused)}`);
  await using pool = new ProcessPool();
  const child = await pool.spawn("cat", [], { notify: true, stdio: ["pipe", "ignore", "ignore"] });
  const [directory = ""] = directoriesOf(process.pid);
  const { code, stderr } = await startFixture("notify", ["exit"], elsewhere).ended;
  assert.equal(code, 0, stderr);
  assert.ok(existsSync(directory));
  child.stdin.end();
  await child.exited;
  return undefined;
});

test("fds that run out at any step of a launch are waited for, and none is lost", async (t) => {
  if (!hasCommands("prlimit")) return t.skip("needs prlimit");
  const { code, stdout, stderr } = await startFixture("exhausted-notify", [], ["prlimit", "--nofile=128"]).ended;
  assert.equal(code, 0, stderr);
  const { outcomes, leaked } = JSON.parse(stdout) as { outcomes: string[]; leaked: number };
  assert.deepEqual([...new Set(outcomes)], ["there is room\n"]);
  assert.equal(leaked, 0);
  return undefined;
});

test("directories of living processes, of other pid namespaces, and others' stay", async (t) => {
  const alive = startFixture("notify", ["wait"]);
  const theirs = await alive.line();
  const elsewhere = join(dirname(theirs), "pidpool-notify-1-1-1-1-0123456789abcdef");
  mkdirSync(elsewhere);
  t.after(() => {
    for (const path of [elsewhere, theirs]) rmSync(path, { recursive: true, force: true });
  });
  await using pool = new ProcessPool();
  await socketOf(pool);
  assert.ok(readdirSync(theirs).length > 0);
  assert.ok(existsSync(elsewhere));
  alive.process.kill("SIGTERM");
  await alive.ended;
});

test("a process that may not write to /run finds another place", { skip: notNobody }, async () => {
  const { code, stdout, stderr } = await startFixture("notify", ["exit"], AS_NOBODY).ended;
  assert.equal(code, 0, stderr);
  const path = stdout.trim();
  assert.ok(!path.startsWith("/run/pidpool"), path);
  assert.ok(!existsSync(path));
});
