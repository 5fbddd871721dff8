// How Node ends beside warm commands: a hang would run into the test's time limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startFixture } from "../../helpers/fixture.ts";
import { isAlive, until } from "../../helpers/processes.ts";

for (const [mode, said] of [
  ["starting", ""],
  ["after a job", "done\n"],
  ["broken", "ERR_START_LIMIT\n"],
  ["closed", "0 left\n"],
] as const) {
  test(`spares do not keep Node alive: ${mode}`, async () => {
    const { code, stdout, stderr } = await startFixture("warm", [mode]).ended;
    assert.deepEqual([code, stdout, stderr], [0, said, ""]);
  });
}

test("idle spares end with Node", async () => {
  const { code, stdout, stderr } = await startFixture("warm", ["idle"]).ended;
  assert.equal(code, 0, stderr);
  const pids = stdout.trim().split(" ").map(Number);
  assert.equal(pids.length, 3);
  await until(() => !pids.some(isAlive));
});

test("jobs keep Node alive, those that wait too", async () => {
  const { code, stdout, stderr } = await startFixture("warm", ["jobs"]).ended;
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trim().split("\n").length, 8, stdout);
});
