// Many children, and limits of the whole system that only a VM may have lowered.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { describe, test, type TestContext } from "node:test";
import { LaunchError, ProcessPool, type Process } from "pidpool";
import { dupFrom, pidfdOpen } from "#pidpool/native/syscalls.js";
import { SLOT_COUNT } from "#pidpool/native/region.js";
import { Child } from "#pidpool/pool/child.js";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { resolveSpec } from "#pidpool/process/spec.js";
import { rejection } from "../helpers/errors.ts";
import { until } from "../helpers/processes.ts";
import { compiledForVm, outsideVm } from "../helpers/vm.ts";
import { soakLive } from "../soak/live.ts";

const LIVE = 20_000;
/** Each takes some 75 KiB of the kernel's memory and its own. */
const ENOUGH_MEMORY = 3 * 2 ** 30;

const cramped = totalmem() < ENOUGH_MEMORY && "needs 3 GB: npm run test:vm -- --memory 4000 --timeout 3000 vm/scale";

/** Sets a kernel setting for the time of a test. */
function set(t: TestContext, name: string, value: number): void {
  const file = `/proc/sys/${name.replaceAll(".", "/")}`;
  const before = readFileSync(file, "latin1");
  writeFileSync(file, String(value));
  t.after(() => writeFileSync(file, before));
}

describe("scale", { skip: outsideVm }, () => {
  test(`${LIVE} live children, killed at once: each has its pid and its report`, { skip: cramped }, async (t) => {
    const hold = compiledForVm("hold");
    if (hold === undefined) return t.skip("needs cc where the VM is made");
    assert.deepEqual(await soakLive(LIVE, hold, 1), []);
    return undefined;
  });

  test("a pool whose slots are all taken says so", async () => {
    await using pool = new ProcessPool({ threads: 1, isolation: "none" });
    const child = await pool.spawn("sleep", ["100000"], { stdio: "ignore" });
    const [supervisor] = supervisorsOf(pool)?.all ?? [];
    assert.ok(supervisor);
    // The same process again and again: what is counted are slots, and real ones would take gigabytes.
    const spec = resolveSpec("spawn", "sleep", ["100000"], { stdio: "ignore" });
    const pidfd = pidfdOpen(child.pid);
    assert.ok(pidfd >= 0);
    let left = 0;
    const events = {
      launched: () => {},
      failed: () => assert.fail(),
      cancelled: () => assert.fail(),
      exited: () => void left--,
    };
    while (supervisor.adopt(new Child(spec, events, false), child.pid, dupFrom(pidfd, 64)) === 0) left++;
    assert.equal(supervisor.load, SLOT_COUNT - 1);
    const error = await rejection(pool.run("true"), LaunchError);
    assert.deepEqual([error.stage, error.errno], ["slot", "EAGAIN"]);
    assert.match(error.message, /each supervisor thread of the pool has as many children as it can hold; give .* more/);
    child.kill("SIGKILL");
    await until(() => left === 0);
    assert.equal((await pool.run("echo", ["room"])).stdout, "room\n");
  });

  test("what is watched by epoll may run out: the child is killed, and the limit named", async (t) => {
    await using pool = new ProcessPool({ threads: 1, isolation: "none" });
    await pool.run("true");
    const children: Process[] = [];
    set(t, "fs.epoll.max_user_watches", 40);
    const fill = async (): Promise<void> => {
      for (;;) children.push((await pool.spawn("sleep", ["100000"], { stdio: "ignore" })) as Process);
    };
    const error = await rejection(fill(), LaunchError);
    assert.deepEqual([error.stage, error.errno, error.syscall], ["watch", "ENOSPC", "epoll_ctl"]);
    assert.match(error.message, /too much is watched: fs\.epoll\.max_user_watches is 40; raise it with sysctl -w/);
    assert.ok(pool.stats().retried > 5);
    // One that ends makes room.
    const next = pool.run("true", [], { stdio: "ignore" });
    children[0]?.kill("SIGKILL");
    assert.equal((await next).exit.status, "exited");
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map(({ exited }) => exited));
  });

  test("pids may run out: kernel.pid_max is named", async (t) => {
    await using pool = new ProcessPool({ threads: 1, isolation: "none" });
    await pool.run("true");
    const children: Process[] = [];
    // Pids below 300 are given out only once.
    set(t, "kernel.pid_max", 500);
    const fill = async (): Promise<void> => {
      for (;;) children.push((await pool.spawn("sleep", ["100000"], { stdio: "ignore" })) as Process);
    };
    const error = await rejection(fill(), LaunchError);
    assert.deepEqual([error.stage, error.errno], ["clone", "EAGAIN"]);
    assert.match(error.message, /kernel\.pid_max is 500/);
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map(({ exited }) => exited));
  });
});
