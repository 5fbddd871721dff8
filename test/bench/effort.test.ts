// Measurements end when they should, whatever the contestant's speed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { repeat } from "../../bench/runner/effort.ts";

test("a fast contestant runs until the time is over", async () => {
  let runs = 0;
  const run = async (): Promise<void> => {
    runs++;
    await sleep(1);
  };
  const { launches, milliseconds } = await repeat({ inFlight: 4, milliseconds: 50, least: 1, most: 1000 }, run);
  assert.equal(launches, runs);
  assert.ok(launches > 4);
  assert.ok(milliseconds >= 50);
});

test("a slower one runs so often at least", async () => {
  const { launches } = await repeat({ inFlight: 2, milliseconds: 0, least: 6, most: 60_000 }, () => sleep(5));
  assert.ok(launches >= 6);
});

test("a very slow one begins nothing after the most that it may take", async () => {
  const { launches } = await repeat({ inFlight: 2, milliseconds: 10, least: 1000, most: 20 }, () => sleep(50));
  assert.equal(launches, 2);
});

test("there is always one run", async () => {
  assert.equal((await repeat({ inFlight: 8, milliseconds: 0, least: 0, most: 0 }, () => sleep(0))).launches, 1);
});
