// Watchdogs of single children, which their supervisor thread keeps.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExitReport, Process } from "pidpool";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { resolveSpec } from "#pidpool/process/spec.js";
import { Child } from "#pidpool/pool/child.js";
import { SupervisorSet } from "#pidpool/pool/supervisor-set.js";
import { compile } from "../helpers/compile.ts";
import { tempDir } from "../helpers/files.ts";
import { ProcessPool } from "../helpers/pool.ts";

const { file = "", unavailable: skip } = compile("speak") as { file?: string; unavailable: string | false };

function spawn(pool: ProcessPool, words: string[], options: object = {}): Promise<Process> {
  return pool.spawn(file, words, { notify: true, watchdog: 100, stdio: ["pipe", "ignore", "inherit"], ...options });
}

function bitten(exit: ExitReport, signal = "SIGABRT"): void {
  assert.deepEqual([exit.reason, exit.status === "signaled" && exit.signal], ["watchdog", signal]);
}

test("a child that says nothing after READY=1 gets SIGABRT", { skip }, async () => {
  await using pool = new ProcessPool();
  const child = await spawn(pool, ["READY=1", "@wait"]);
  const exit = await child.exited;
  bitten(exit);
  assert.ok(exit.wallMs >= 100, `after ${exit.wallMs} ms`);
});

test("one that ignores SIGABRT gets SIGKILL after killAfter", async (t) => {
  await using pool = new ProcessPool();
  const { status } = await import("node:child_process").then(({ spawnSync }) =>
    spawnSync("systemd-notify", ["--version"]),
  );
  if (status !== 0) return t.skip("systemd-notify is not installed");
  const script = "trap '' ABRT; systemd-notify --ready; while :; do sleep 0.1; done";
  const child = await pool.spawn("sh", ["-c", script], { notify: true, watchdog: 50, killAfter: 50, stdio: "ignore" });
  return bitten(await child.exited, "SIGKILL");
});

test("pings keep it away, even those that the pool's thread never hears of", { skip }, async () => {
  await using pool = new ProcessPool();
  const child = await spawn(pool, ["READY=1", "@beat:20"], { watchdog: 400 });
  let heard = 0;
  child.on("notify", () => heard++);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(child.exit, undefined);
  assert.equal(heard, 1);
  child.kill("SIGKILL");
  assert.equal((await child.exited).reason, "signal");
});

test("it waits for READY=1", { skip }, async () => {
  await using pool = new ProcessPool();
  const child = await spawn(pool, ["STATUS=starting", "@wait", "READY=1", "@wait"], { watchdog: 50 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(child.exit, undefined);
  (child.stdin as NodeJS.WritableStream).write("\n");
  bitten(await child.exited);
});

test("WATCHDOG=trigger makes it bite at once, with or without the option", { skip }, async () => {
  await using pool = new ProcessPool();
  for (const watchdog of [0, 1_000_000]) {
    const child = await spawn(pool, ["READY=1", "WATCHDOG=trigger", "@wait"], { watchdog });
    bitten(await child.exited);
  }
});

test("WATCHDOG_USEC= changes the time, or ends it", { skip }, async () => {
  await using pool = new ProcessPool();
  bitten(await (await spawn(pool, ["READY=1", "WATCHDOG_USEC=50000", "@wait"], { watchdog: 1_000_000 })).exited);
  bitten(await (await spawn(pool, ["WATCHDOG_USEC=50000\nREADY=1", "@wait"], { watchdog: 0 })).exited);
  const free = await spawn(pool, ["READY=1", "WATCHDOG_USEC=0", "@wait"], { watchdog: 50 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  (free.stdin as NodeJS.WritableStream).end();
  assert.equal((await free.exited).reason, "exit");
});

test("one that is stopping, or being stopped, owes no pings", { skip }, async () => {
  await using pool = new ProcessPool();
  const child = await spawn(pool, ["READY=1", "STOPPING=1", "@wait"], { watchdog: 50 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  (child.stdin as NodeJS.WritableStream).end();
  assert.equal((await child.exited).reason, "exit");
});

test("it goes on when the supervisor thread dies", { skip }, async () => {
  await using pool = new ProcessPool({ threads: 1 });
  const silent = await spawn(pool, ["READY=1", "@wait"], { watchdog: 300 });
  const alive = await spawn(pool, ["READY=1", "@beat:20"], { watchdog: 600 });
  await Promise.all([silent.ready, alive.ready]);
  const died = new Promise((resolve) => pool.once("error", resolve));
  supervisorsOf(pool)?.all[0]?.send({ slot: "none" } as never);
  await died;
  bitten(await silent.exited);
  assert.equal(alive.exit, undefined);
  alive.kill("SIGKILL");
});

test("where nobody waits for READY=1, it runs from exec on", { skip }, async (t) => {
  const set = new SupervisorSet(1, () => {});
  t.after(() => set.destroy());
  const spec = resolveSpec("spawn", file, ["@wait"], {
    notify: true,
    watchdog: 50,
    isolation: "none",
    stdio: ["pipe", "ignore", "ignore"],
  });
  const { notify } = spec;
  assert.ok(notify);
  const exit = await new Promise<ExitReport>((resolve, reject) => {
    const events = {
      launched() {},
      failed: (stage: string) => reject(new Error(stage)),
      cancelled: () => reject(new Error("cancelled")),
      exited: resolve,
    };
    const child = new Child({ ...spec, notify: { ...notify, watchedFromExec: true } }, events, true);
    child.notifyDirectory = tempDir(t);
    assert.equal(set.start(child), 0);
  });
  bitten(exit);
});
