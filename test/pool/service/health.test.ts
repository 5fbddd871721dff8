import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "../../helpers/files.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { becomes, failure, pidOf, script } from "../../helpers/services.ts";

/** A probe that never ends, and a promise for its signal. */
function firstAsked(): { promise: Promise<AbortSignal>; signal: (given: AbortSignal) => Promise<void> } {
  let resolve: (signal: AbortSignal) => void;
  const promise = new Promise<AbortSignal>((resolved) => (resolve = resolved));
  return {
    promise,
    signal: (given) => {
      resolve(given);
      return new Promise(() => {});
    },
  };
}

test("a replica that fails its probe threshold times in a row is ended and restarted by policy", async () => {
  await using pool = new ProcessPool();
  const answers = [true, false, true, false, false, false];
  const failures: number[] = [];
  const service = script(pool, "exec sleep 1000", {
    health: { probe: () => answers.shift() ?? true, interval: 1, threshold: 3 },
    restart: { policy: "on-watchdog", backoff: { initial: 1 } },
  });
  service.on("unhealthy", (_replica, count) => failures.push(count));
  await service.ready;
  const pid = pidOf(service);
  await new Promise((resolve) => service.once("restart", resolve));
  assert.deepEqual(failures, [1, 1, 2, 3]);
  const end = service.reports[0];
  assert.equal(end?.result, "watchdog");
  assert.equal(end.report?.reason, "unhealthy");
  await becomes(service, "ready");
  assert.notEqual(pidOf(service), pid);
});

test("what a probe throws is told", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, "exec sleep 1000", {
    health: {
      probe: () => {
        throw new Error("no connection");
      },
      interval: 1,
      threshold: 1,
    },
    restart: "no",
  });
  const error = new Promise((resolve) => service.once("unhealthy", (_replica, _failures, thrown) => resolve(thrown)));
  assert.match(String(await error), /no connection/);
  assert.match((await failure(service)).message, /failed its health probe/);
});

test("a command is a probe; one that does not end is killed when its time is over", async (t) => {
  const mark = join(tempDir(t), "mark");
  await using pool = new ProcessPool();
  const service = script(pool, "exec sleep 1000", {
    health: {
      command: { file: "sh", args: ["-c", `echo x >> '${mark}'; exec sleep 1000`] },
      interval: 1,
      timeout: 30,
      threshold: 2,
    },
    restart: "no",
  });
  const error = await failure(service);
  assert.equal(error.reports[0]?.result, "watchdog");
  await pool.close();
});

test("a stop during a probe ends the probe", async () => {
  await using pool = new ProcessPool();
  const { promise: asked, signal } = firstAsked();
  const service = script(pool, "exec sleep 1000", {
    health: { probe: (_replica, given) => signal(given), interval: 1 },
  });
  service.on("unhealthy", () => assert.fail("nobody was to hear of this"));
  const given = await asked;
  await service.stop();
  assert.equal(given.aborted, true);
});
