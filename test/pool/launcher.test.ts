// The native launcher thread, seen from outside.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readdirSync, readFileSync } from "node:fs";
import { constants as os } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "../helpers/files.ts";
import { until } from "../helpers/processes.ts";
import { Launcher } from "#pidpool/native/launcher.js";
import { LAUNCHER, SLOT, STATE } from "#pidpool/native/layout.js";
import { ARENA_SIZE } from "#pidpool/native/region.js";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { resolveSpec } from "#pidpool/process/spec.js";
import { ProcessPool } from "../helpers/pool.ts";

function blockedMasks(): bigint[] {
  return readdirSync("/proc/self/task").map((task) => {
    const status = readFileSync(`/proc/self/task/${task}/status`, "latin1");
    return BigInt(`0x${/SigBlk:\s*([0-9a-f]+)/.exec(status)?.[1]}`);
  });
}

const NO_CLONE3 = "clone3 is answered with ENOSYS here: a launcher waits for each child's exec";

test("the launcher blocks signals, but neither libc's own nor SIGCHLD, which would wake the main thread at each exit", async () => {
  await using pool = new ProcessPool({ threads: 1 });
  await pool.run("true");
  // Nobody can block SIGKILL (9) and SIGSTOP (19).
  const open = [9, 17, 19, 32, 33, 34].reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n);
  assert.equal(blockedMasks().filter((mask) => mask === 2n ** 64n - 1n - open).length, 1);
});
test("specs that wrap around the arena, and specs larger than its share, arrive whole", async () => {
  await using pool = new ProcessPool({ threads: 1, concurrency: 256, env: { PATH: process.env["PATH"] } });
  const long = "x".repeat(60_000);
  const runs = Array.from({ length: 256 }, (_, i) => pool.run("echo", [`${i}`, long]));
  for (const [i, run] of runs.entries()) assert.equal((await run).stdout, `${i} ${long}\n`);
  // 256 specs of 60 kB did not fit at once; a spec of a quarter arena gets memory of its own.
  const words = Array.from({ length: 12 }, () => "y".repeat(Math.floor(ARENA_SIZE / 40)));
  const { stdout } = await pool.run("echo", words);
  assert.equal(stdout, `${words.join(" ")}\n`);
});

test("launches beyond the room of the arena wait, and are no retries", async () => {
  await using pool = new ProcessPool({ threads: 1, concurrency: 2000 });
  const filler = "z".repeat(20_000);
  await Promise.all(Array.from({ length: 600 }, () => pool.run("true", [filler], { stdio: "ignore" })));
  const { completed, retried } = pool.stats();
  assert.deepEqual([completed, retried], [600, 0]);
  assert.equal(supervisorsOf(pool)?.all[0]?.launcher.pending, 0);
});

test("while one child hangs between clone and exec, its launcher starts others", async (t) => {
  const dir = tempDir(t);
  await using pool = new ProcessPool({ threads: 1, concurrency: 64, timeout: 60_000 });
  await pool.run("true");
  const launcher = supervisorsOf(pool)?.all[0]?.launcher;
  assert.ok(launcher !== undefined);
  if (launcher.region.header(LAUNCHER.legacy) === 1) return t.skip(NO_CLONE3);
  /** A child whose open() for writing waits until somebody reads. */
  const hanging = (name: string): { run: Promise<unknown>; release: () => void } => {
    const file = join(dir, name);
    execFileSync("mkfifo", [file]);
    return {
      run: pool.run("true", [], { stdio: ["ignore", { file }, "ignore"] }),
      release: () => {
        const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
        t.after(() => closeSync(reader));
      },
    };
  };
  // The launcher waits for a child in vfork's way when there is no other to start meanwhile: here, until all are queued.
  const first = hanging("first");
  await until(() => launcher.pending === 1);
  const second = hanging("second");
  const others = Array.from({ length: 20 }, () => pool.run("true", [], { stdio: "ignore" }));
  await until(() => launcher.pending === 22);
  first.release();
  await Promise.all([first.run, ...others]);
  assert.ok(launcher.pending > 0);
  assert.deepEqual([pool.stats().completed, pool.stats().running], [22, 1]);
  second.release();
  await second.run;
});

test("a clone that fails late leaves no fd in its slot, which a supervisor would close", (t) => {
  const launcher = new Launcher(false);
  const spec = resolveSpec("spawn", "true", [], { stdio: "ignore" });
  const sources = spec.fds.map((_, index) => ({ index, source: launcher.devNull, handed: false }));
  const joins = { user: -1, network: -1, pid: -1, pidId: 0 };
  // The kernel looks at the cgroup when it has written the pidfd's number already: EBADF, as this is none.
  assert.equal(launcher.prepare(0, spec.block, sources, { joins, cgroup: launcher.devNull }), 0);
  const result = launcher.launchHere(0);
  if (launcher.region.header(LAUNCHER.legacy) === 1) t.skip(NO_CLONE3);
  else assert.equal(result, -os.errno.EBADF);
  const { region } = launcher;
  const field = (name: "state" | "pidfd"): number | undefined => region.words[(region.slot(0) + SLOT[name]) >> 2];
  assert.deepEqual([field("state"), field("pidfd")], [STATE.failed, -1]);
  launcher.dispose();
});
