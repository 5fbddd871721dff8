// When a replica is ready, and what becomes of one that is not in time.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ServiceError } from "pidpool";
import { rejection } from "../../helpers/errors.ts";
import { tempDir } from "../../helpers/files.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { becomes, failure, mute, script, turns } from "../../helpers/services.ts";

const NO = { restart: "no" } as const;

test('"notify": READY=1, with its status', { skip: mute }, async () => {
  await using pool = new ProcessPool();
  const service = script(pool, "systemd-notify READY=1 STATUS=serving; exec sleep 1000", { ready: "notify" });
  const said = new Promise<string | null>((resolve) => service.once("notify", ({ status }) => resolve(status)));
  await service.ready;
  assert.equal(await said, "serving");
  assert.equal(service.replicas[0]?.status, "serving");
});

test("RELOADING=1 and READY=1 are a state of their own", { skip: mute }, async (t) => {
  const go = join(tempDir(t), "go");
  await using pool = new ProcessPool();
  const text = `systemd-notify READY=1; systemd-notify RELOADING=1
    while [ ! -e '${go}' ]; do sleep 0.01; done; systemd-notify READY=1; exec sleep 1000`;
  const service = script(pool, text, { ready: "notify" });
  await service.ready;
  await turns(service, "reloading");
  assert.equal(service.replicas[0]?.readySince, null);
  await pool.run("touch", [go]);
  await turns(service, "ready");
});

test("a newline to a notification fd", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, "echo >&5; exec sleep 1000", { ready: { fd: 5 } });
  await service.ready;
  assert.equal(service.state, "ready");
});

test("a probe by function is asked until it succeeds", async () => {
  await using pool = new ProcessPool();
  let asked = 0;
  const service = script(pool, "exec sleep 1000", {
    ready: {
      probe: (replica, signal) => {
        assert.equal(replica.state, "starting");
        assert.ok(replica.pid !== null && !signal.aborted);
        asked++;
        if (asked === 1) throw new Error("not yet");
        return asked > 2;
      },
      interval: 1,
    },
  });
  await service.ready;
  assert.equal(asked, 3);
});

test("a probe by command, which is a child of the pool", async (t) => {
  const mark = join(tempDir(t), "mark");
  await using pool = new ProcessPool();
  const service = script(pool, `sleep 0.05; : > '${mark}'; exec sleep 1000`, {
    ready: { command: { file: "test", args: ["-e", mark] }, interval: 5 },
  });
  await service.ready;
  assert.equal(service.state, "ready");
});

test("one that is not ready in time is ended, and has timed out", async () => {
  await using pool = new ProcessPool();
  const text = "trap '' TERM; while :; do sleep 0.01; done";
  const options = { ready: { probe: () => false }, startTimeout: 100, stopTimeout: 50, ...NO };
  const service = script(pool, text, options);
  const error = await rejection(service.ready, ServiceError);
  assert.equal(error.reports[0]?.result, "timeout");
  assert.equal(error.reports[0].report?.reason, "timeout");
  assert.match(error.message, /timed out/);
  assert.equal(service.state, "failed");
});

test("EXTEND_TIMEOUT_USEC gives a start more time", { skip: mute }, async () => {
  await using pool = new ProcessPool();
  // Half a minute more than the two seconds that it has at first.
  const text = "systemd-notify EXTEND_TIMEOUT_USEC=30000000; sleep 2.5; systemd-notify READY=1; exec sleep 1000";
  const service = script(pool, text, { ready: "notify", startTimeout: 2000, ...NO });
  await service.ready;
  assert.equal(service.state, "ready");
});

test("EXTEND_TIMEOUT_USEC gives a stop more time", { skip: mute }, async () => {
  await using pool = new ProcessPool();
  const text = `trap 'systemd-notify EXTEND_TIMEOUT_USEC=30000000; sleep 1.5; exit 5' TERM
    systemd-notify READY=1; while :; do sleep 0.01; done`;
  const service = script(pool, text, { ready: "notify", stopTimeout: 1000 });
  await service.ready;
  await service.stop();
  const report = service.reports[0]?.report;
  assert.equal(report?.status === "exited" && report.code, 5);
});

test("a clean end before readiness is none: result protocol", { skip: mute }, async () => {
  await using pool = new ProcessPool();
  const service = script(pool, "exit 0", {
    ready: "notify",
    restart: { startLimit: { burst: 2 }, backoff: { initial: 1 } },
  });
  const error = await failure(service);
  assert.deepEqual(
    error.reports.map(({ result }) => result),
    ["protocol", "protocol"],
  );
});

test("probes end with the process that they ask for", async () => {
  await using pool = new ProcessPool();
  const signals: AbortSignal[] = [];
  const service = script(pool, "exec sleep 1000", {
    ready: {
      probe: async (_replica, signal) => {
        signals.push(signal);
        await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        });
      },
    },
  });
  await becomes(service, "starting");
  while (signals.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await service.stop();
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  );
});
