// The benchmark's C program does what its TypeScript side says; nothing is
// measured here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileChildren } from "../../bench/children.ts";
import { Floors, type FloorWay, type StormWay } from "../../bench/floors/floors.ts";

const children = compileChildren();
const floors = await Floors.compile();
const WAYS: readonly FloorWay[] = ["fork", "wait4", "posix_spawn", "pidfd", "files", "uring"];
const STORMS: readonly StormWay[] = ["pidfd", "sigchld", "wait4"];

for (const way of WAYS) {
  const skip = floors.available([way]).missing[0];
  test(`floor: ${way} launches and reaps`, { skip }, async () => {
    const cost = await floors.churn(way, {
      threads: 2,
      inFlight: 16,
      launches: 200,
      program: children.nop,
      megabytes: 1,
    });
    const { p50, p99, max } = await floors.latency(way, 50, children.nop);
    assert.ok(cost > 0 && p50 > 0 && p50 <= p99 && p99 <= max);
  });
}

for (const way of STORMS) {
  test(`floor: a storm of 100 exits, by ${way}`, async () => {
    const { milliseconds, cpuPerExit, batches, largestBatch } = await floors.storm(way, 100, children.hold);
    assert.ok(milliseconds > 0 && cpuPerExit > 0);
    assert.ok(batches >= 1 && batches * largestBatch >= 100);
  });
}

test("floor: captures all that a program writes", async () => {
  assert.ok((await floors.capture(2, children.emit, ["3000000"])) > 0);
  await assert.rejects(floors.capture(1, children.emit, []));
});
