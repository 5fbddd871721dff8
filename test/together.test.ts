// Side by side: pools among themselves, in worker threads, and beside child_process.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startFixture } from "./helpers/fixture.ts";

test("two pools, a pool in a worker and child_process each get exactly their own exits", async () => {
  const count = 2000;
  const result = await startFixture("together", [String(count)]).ended;
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(JSON.parse(result.stdout), { right: [count, count, count, count], exits: 2 * count });
});

test("no SIGCHLD handler is ever installed", async () => {
  const result = await startFixture("sigchld").ended;
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(JSON.parse(result.stdout), { before: false, during: false, after: false });
});

test("a worker thread that holds a pool can be terminated", async () => {
  const result = await startFixture("terminated-worker").ended;
  assert.equal(result.stdout, "terminated\n", result.stderr);
});
