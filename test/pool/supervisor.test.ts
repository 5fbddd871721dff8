// Supervisor threads that die: replaced, and nothing is lost.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import type { PidpoolError } from "pidpool";
import { Launcher } from "#pidpool/native/launcher.js";
import { SLOT, STATE } from "#pidpool/native/layout.js";
import { Child } from "#pidpool/pool/child.js";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import type { Supervisor } from "#pidpool/pool/supervisor.js";
import { Slots } from "#pidpool/pool/slots.js";
import { SupervisorSet } from "#pidpool/pool/supervisor-set.js";
import type { ExitReport } from "#pidpool/process/report.js";
import { resolveSpec } from "#pidpool/process/spec.js";
import { hasCommands, isAlive, openFds, until } from "../helpers/processes.ts";
import { compile } from "../helpers/compile.ts";
import { startFixture } from "../helpers/fixture.ts";
import { ProcessPool } from "../helpers/pool.ts";

const seize = compile("seize");

function supervisorOf(pool: ProcessPool): Supervisor {
  const supervisor = supervisorsOf(pool)?.all[0];
  assert.ok(supervisor);
  return supervisor;
}

/** An exception in the thread: it gets a message that it does not know. */
function kill(supervisor: Supervisor): void {
  supervisor.send({ slot: "none" } as never);
}

/** The slot of a child that runs. */
function slotOf(slots: Slots, pid: number): number {
  for (let slot = 0; ; slot++) if (slots.get(slot, SLOT.pid) === pid) return slot;
}

async function killed(pool: ProcessPool): Promise<PidpoolError> {
  const died = new Promise<PidpoolError>((resolve) => pool.once("error", resolve));
  kill(supervisorOf(pool));
  return died;
}

test("children survive their supervisor thread and are reported by its successor", async () => {
  await using pool = new ProcessPool({ threads: 1 });
  const children = await Promise.all(
    Array.from({ length: 50 }, () => pool.spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] })),
  );
  const error = await killed(pool);
  assert.equal(error.code, "ERR_SUPERVISOR");
  assert.match(error.message, /does not know/);
  assert.ok(children.every(({ pid }) => isAlive(pid)));
  for (const child of children) child.stdin.end();
  for (const child of children) assert.equal((await child.exited).status, "exited");
  assert.equal(pool.stats().supervisors[0]?.deaths, 1);
});

test("launches that were pending when the thread died all end in a report", async () => {
  await using pool = new ProcessPool({ threads: 1, concurrency: 500 });
  await pool.run("true");
  const runs = Array.from({ length: 1000 }, (_, i) =>
    pool.run("sh", ["-c", `exit ${i % 200}`], { check: false, stdio: "ignore" }),
  );
  let deaths = 0;
  pool.on("error", () => deaths++);
  kill(supervisorOf(pool));
  await Promise.race(runs);
  kill(supervisorOf(pool));
  const results = await Promise.all(runs);
  assert.deepEqual(
    results.map(({ exit }) => (exit.status === "exited" ? exit.code : exit)),
    results.map((_, i) => i % 200),
  );
  assert.ok(deaths >= 1);
});

test("captured output that a dead thread held is said to be lost, what comes later is kept", async () => {
  await using pool = new ProcessPool({ threads: 1 });
  const child = await pool.spawn("sh", ["-c", "echo before; read line; echo after"], {
    stdio: ["pipe", "capture", "ignore"],
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await killed(pool);
  child.stdin.end("go\n");
  const { stdout, truncated, exit } = await child.result;
  assert.equal(exit.status, "exited");
  assert.match(String(stdout), /after\n$/);
  assert.equal(truncated, "supervisor-lost");
});

test("large output that a dead thread had collected is not lost", async () => {
  await using pool = new ProcessPool({ threads: 1 });
  const child = await pool.spawn(
    "sh",
    ["-c", "head -c 3000000 /dev/zero; echo; echo written >&2; read line; echo after"],
    {
      stdio: ["pipe", "capture", "pipe"],
    },
  );
  await once(child.stderr, "data");
  await killed(pool);
  child.stdin.end("go\n");
  const { stdout } = await child.result;
  assert.ok(String(stdout) === `${"\0".repeat(3_000_000)}\nafter\n`, `${stdout?.length} bytes`);
});

test("a timeout still ends the child after its thread died", async () => {
  await using pool = new ProcessPool({ threads: 1, isolation: "none" });
  const run = pool.run("sleep", ["1000"], { timeout: 300, check: false });
  const abort = new AbortController();
  const other = pool.run("sleep", ["1000"], { signal: abort.signal, check: false });
  await until(() => pool.stats().running > 0);
  await killed(pool);
  abort.abort();
  assert.equal((await run).exit.reason, "timeout");
  assert.equal((await other).exit.reason, "aborted");
});

test("a child that its debugger holds back is reaped in the end, though the thread that looked for it has died", async (t) => {
  if (seize.unavailable !== false) return t.skip(seize.unavailable);
  await using pool = new ProcessPool({ threads: 1 });
  const child = await pool.spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  // Started by child_process: a debugger must not be reaped by those whom it holds up.
  const tracer = spawn(seize.file, [`${child.pid}`], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => tracer.kill("SIGKILL"));
  await Promise.race([once(tracer.stdout, "data"), once(tracer, "exit")]);
  if (tracer.exitCode !== null) return t.skip("a process may not trace another one here");
  child.kill("SIGKILL");
  const { launcher } = supervisorOf(pool);
  const slots = new Slots(launcher.region);
  const slot = slotOf(slots, child.pid);
  await until(() => slots.get(slot, SLOT.polled) === 1);
  await killed(pool);
  tracer.stdin.end();
  const report = await child.exited;
  assert.equal(report.status === "signaled" && report.signal, "SIGKILL");
});

test("a thread that runs out of heap is replaced", async () => {
  const deaths: PidpoolError[] = [];
  const set = new SupervisorSet(1, (error) => deaths.push(error), { maxOldGenerationSizeMb: 64 });
  const supervisor = set.pick();
  let sent = false;
  const exited = new Promise<ExitReport>((resolve, reject) => {
    const spec = resolveSpec("spawn", "cat", [], { stdio: ["pipe", "ignore", "ignore"] });
    const child: Child = new Child(
      spec,
      {
        // The successor says it again; one death is enough.
        launched: () => {
          if (sent) return;
          sent = true;
          const filler = Array.from({ length: 3_000_000 }, (_, n) => ({ n }));
          supervisor.send({ slot: 0, filler } as never);
        },
        failed: (stage) => reject(new Error(stage)),
        cancelled: () => reject(new Error("cancelled")),
        exited: resolve,
      },
      true,
    );
    assert.equal(supervisor.start(child), 0);
    void until(() => deaths.length > 0).then(() => child.stdio[0]?.destroy());
  });
  assert.equal((await exited).status, "exited");
  assert.equal(deaths.length, 1);
  assert.match(String(deaths[0]?.cause), /memory|heap/i);
  await set.destroy();
});

test("a child launched on this thread is adopted with its pidfd", async () => {
  {
    await using pool = new ProcessPool({ threads: 1 });
    await pool.run("true");
    const elsewhere = new Launcher(false);
    const spec = resolveSpec("spawn", "sh", ["-c", "exit 7"], { stdio: "ignore" });
    const sources = spec.fds.map((_, index) => ({ index, source: elsewhere.devNull, handed: false }));
    assert.equal(elsewhere.prepare(0, spec.block, sources), 0);
    assert.equal(elsewhere.launchHere(0), 0);
    const at = elsewhere.region.slot(0) >> 2;
    assert.equal(elsewhere.region.words[at], STATE.running);
    const pid = elsewhere.region.words[at + (SLOT.pid >> 2)] ?? 0;
    const pidfd = elsewhere.region.words[at + (SLOT.pidfd >> 2)] ?? -1;
    const report = await new Promise<ExitReport>((resolve) => {
      const never = (): never => assert.fail();
      const child = new Child(spec, { launched: never, failed: never, cancelled: never, exited: resolve }, false);
      assert.equal(supervisorOf(pool).adopt(child, pid, pidfd), 0);
    });
    assert.deepEqual([report.status, report.pid, report.status === "exited" && report.code], ["exited", pid, 7]);
    elsewhere.dispose();
  }
  assert.deepEqual(
    openFds().filter((fd) => fd.includes("pidfd")),
    [],
  );
});

test("a launch that hangs before exec is ended by its timeout, and other threads go on", async (t) => {
  const { execFileSync } = await import("node:child_process");
  const { mkdtempSync, rmSync } = await import("node:fs");
  const dir = mkdtempSync("/tmp/pidpool-");
  t.after(() => rmSync(dir, { recursive: true }));
  execFileSync("mkfifo", [`${dir}/fifo`]);
  await using pool = new ProcessPool({ threads: 2, concurrency: 64 });
  // Nobody reads the FIFO: the child's open() for writing waits, between clone and exec.
  const stuck = pool.run("true", [], {
    stdio: ["ignore", { file: `${dir}/fifo` }, "ignore"],
    timeout: 1000,
    check: false,
  });
  await Promise.all(Array.from({ length: 8 }, () => pool.run("true")));
  const { exit } = await stuck;
  assert.deepEqual([exit.status, exit.reason], ["signaled", "timeout"]);
});

test("a launch that was taken back keeps its slot until its launcher is done with it, whatever thread dies meanwhile", async (t) => {
  const { execFileSync } = await import("node:child_process");
  const { closeSync, mkdtempSync, openSync, rmSync } = await import("node:fs");
  const dir = mkdtempSync("/tmp/pidpool-");
  t.after(() => rmSync(dir, { recursive: true }));
  execFileSync("mkfifo", [`${dir}/fifo`]);
  await using pool = new ProcessPool({ threads: 1, concurrency: 64, isolation: "none" });
  const child = await pool.spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  const before = openFds().length;
  // Nobody reads the FIFO: as many children as a launcher has under way wait between clone and exec.
  const stuck = Array.from({ length: 4 }, () =>
    pool.run("true", [], { stdio: ["ignore", { file: `${dir}/fifo` }, "ignore"] }),
  );
  await until(() => (pool.stats().supervisors[0]?.stalledMs ?? 0) > 0);
  const controller = new AbortController();
  const aborted = Array.from({ length: 20 }, () => pool.run("true", [], { signal: controller.signal }));
  const outcomes = Promise.allSettled(aborted);
  controller.abort();
  await killed(pool);
  // Once this is reported, the successor has gone through all slots.
  child.stdin.end();
  await child.exited;
  const others = Array.from({ length: 20 }, () => pool.run("true"));
  const reader = openSync(`${dir}/fifo`, "r+");
  await Promise.all([...stuck, ...others]);
  assert.ok((await outcomes).every((outcome) => outcome.status === "rejected"));
  closeSync(reader);
  await until(() => openFds().length <= before);
});

for (const when of ["first", "next"]) {
  test(`the ${when} thread of a supervisor cannot start: it is tried again, and children are reported`, async (t) => {
    if (!hasCommands("prlimit")) return t.skip("needs prlimit");
    const { code, stdout, stderr } = await startFixture("unstartable", [when], ["prlimit", "--nofile=256"]).ended;
    assert.equal(code, 0, stderr);
    const result = JSON.parse(stdout) as { errors: string[]; status: string; stdout: string; truncated: null };
    assert.match(result.errors[0] ?? "", /^ERR_SUPERVISOR: .*could not be started: .*(?:EMFILE|too many open files)/);
    assert.deepEqual([result.status, result.stdout], ["exited", "there is room\n"]);
    if (when === "first") assert.equal(result.truncated, null);
  });
}

test("zombies that count as the last processes of their user are reaped though no thread can be started", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("needs root, to become a user that has no other processes");
  if (!hasCommands("setpriv", "prlimit")) return t.skip("needs setpriv and prlimit");
  // Whoever else runs this test now has another.
  const uid = 56_000 + (process.pid % 4000);
  const user = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "prlimit", "--nproc=60"];
  const { code, stdout, stderr } = await startFixture("zombies", [], user).ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    signals: Array.from({ length: 20 }, () => "SIGKILL"),
    stdout: "there is room\n",
  });
});
