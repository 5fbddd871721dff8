// A thousand services; `npm run soak:services` has them crash for a minute.
import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { crowd } from "../../helpers/crowd.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { childPids } from "../../helpers/processes.ts";

test("of 1 000 services of which a tenth crashes in every second, each is restarted, and none early", async (t) => {
  const { crashes, restarts, early, cpu } = await crowd(1000, 0.1, 5);
  t.diagnostic(`${crashes} crashes, main thread busy for ${(cpu * 100).toFixed(1)} %`);
  assert.ok(crashes > 300, `${crashes}`);
  assert.equal(restarts, crashes);
  assert.equal(early, 0);
  assert.equal(childPids().length, 0);
});

test("the end of many replicas is no dearer than their start: they are looked for in /proc together", async (t) => {
  await using pool = new ProcessPool();
  const begin = performance.now();
  const service = pool.service({ name: "many", file: "sleep", args: ["1000"], replicas: 400 });
  await service.ready;
  const started = performance.now();
  await service.stop();
  const [start, stop] = [started - begin, performance.now() - started];
  t.diagnostic(`started in ${start.toFixed(0)} ms, stopped in ${stop.toFixed(0)} ms`);
  assert.ok(stop < 4 * start, `${stop} ms to stop, ${start} ms to start`);
});
