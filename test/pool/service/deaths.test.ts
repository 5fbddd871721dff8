// SIGKILL of children, the death of their supervisor thread, and both at once:
// policies still hold.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "pidpool";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { ProcessPool } from "../../helpers/pool.ts";
import { childPids } from "../../helpers/processes.ts";
import { pidOf, script } from "../../helpers/services.ts";

const SERVICES = 40;

/** An exception in every thread: they get a message that they do not know. */
function killThreads(pool: ProcessPool): void {
  for (const supervisor of supervisorsOf(pool)?.all ?? []) supervisor.send({ slot: "none" } as never);
}

/** Half of them are restarted after SIGKILL, half are not. */
async function start(pool: ProcessPool): Promise<Service[]> {
  const services = Array.from({ length: SERVICES }, (_, i) =>
    script(pool, "exec sleep 1000", {
      name: `${i}`,
      restart: { policy: i % 2 === 0 ? "on-abort" : "on-success", backoff: { initial: 10 } },
    }),
  );
  await Promise.all(services.map(({ ready }) => ready));
  return services;
}

/** Resolves once what becomes of the end of its process is settled. */
function settled(service: Service): Promise<void> {
  return new Promise((resolve) => {
    service.on("replica", ({ state, restarts }) => {
      if (state === "failed" || (state === "ready" && restarts === 1)) resolve();
    });
  });
}

function check(services: readonly Service[]): void {
  for (const [i, service] of services.entries()) {
    assert.equal(service.state, i % 2 === 0 ? "ready" : "failed", service.name);
    assert.deepEqual(
      service.reports.map(({ result, report }) => [result, report?.reason]),
      [["signal", "signal"]],
    );
  }
}

test("SIGKILL of children", async () => {
  await using pool = new ProcessPool();
  const services = await start(pool);
  const all = services.map(settled);
  for (const service of services) process.kill(pidOf(service), "SIGKILL");
  await Promise.all(all);
  check(services);
});

test("the death of the supervisor threads disturbs no service", async () => {
  await using pool = new ProcessPool();
  const services = await start(pool);
  for (const service of services) service.on("exit", () => assert.fail("a process ended"));
  const died = new Promise((resolve) => pool.once("error", resolve));
  killThreads(pool);
  await died;
  assert.ok(services.every(({ state }) => state === "ready"));
  for (const service of services) service.removeAllListeners("exit");
  // Their successors end and restart as they did.
  const all = services.map(settled);
  for (const service of services) process.kill(pidOf(service), "SIGKILL");
  await Promise.all(all);
  check(services);
});

test("both at once", async () => {
  await using pool = new ProcessPool();
  const services = await start(pool);
  let deaths = 0;
  pool.on("error", () => deaths++);
  const all = services.map(settled);
  killThreads(pool);
  for (const [i, service] of services.entries()) {
    if (i === SERVICES / 2) killThreads(pool);
    process.kill(pidOf(service), "SIGKILL");
  }
  await Promise.all(all);
  check(services);
  assert.ok(deaths >= 1);
  await pool.destroy();
  assert.equal(childPids().length, 0);
});

test("a stop under way survives its thread: what does not heed the signal is killed", async () => {
  await using pool = new ProcessPool({ threads: 1 });
  const service = script(pool, "trap '' TERM; echo >&3; while :; do sleep 0.01; done", {
    stopTimeout: 200,
    ready: { fd: 3 },
  });
  await service.ready;
  const stopped = service.stop();
  killThreads(pool);
  await stopped;
  const report = service.reports[0]?.report;
  assert.equal(report?.status === "signaled" && report.signal, "SIGKILL");
});
