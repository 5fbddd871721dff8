// How Node ends with pools in every state: a hang would run into the test's time limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startFixture } from "./helpers/fixture.ts";
import { isAlive, until } from "./helpers/processes.ts";

for (const [mode, code] of [
  ["unused-end", 0],
  ["idle-end", 0],
  ["idle-exit", 0],
  ["idle-throw", 1],
  ["closed", 0],
  ["many-pools", 0],
] as const) {
  test(`Node ends by itself: ${mode}`, async () => {
    const result = await startFixture("lifetime", [mode]).ended;
    assert.equal(result.code, code, result.stderr);
    if (code === 0) assert.equal(result.stderr, "");
  });
}

for (const [mode, code] of [
  ["busy-exit", 0],
  ["busy-throw", 1],
  ["unref-end", 0],
  ["destroyed", 0],
] as const) {
  test(`Node ends and no child is left: ${mode}`, async () => {
    const result = await startFixture("lifetime", [mode]).ended;
    assert.equal(result.code, code, result.stderr);
    const pids = (result.stdout.split("\n")[0] ?? "").split(" ").map(Number);
    assert.ok(pids.length > 0 && pids.every((pid) => pid > 0));
    await until(() => !pids.some(isAlive));
  });
}

test("a live child keeps Node alive until its exit is reported", async () => {
  const result = await startFixture("lifetime", ["busy-end"]).ended;
  assert.deepEqual([result.code, result.stdout], [0, "exited\n"]);
});

test("an exit listener that throws does not make the exit hang", async () => {
  const result = await startFixture("lifetime", ["exit-listener-throws"]).ended;
  assert.match(result.stderr, /from a listener/);
});

test("SIGKILL of Node leaves no child", async () => {
  const fixture = startFixture("lifetime", ["wait-for-kill"]);
  const pids = (await fixture.line()).split(" ").map(Number);
  assert.equal(pids.filter(isAlive).length, 20);
  fixture.process.kill("SIGKILL");
  assert.equal((await fixture.ended).signal, "SIGKILL");
  await until(() => !pids.some(isAlive));
});

test('orphans: "keep" lets children outlive Node', async () => {
  const result = await startFixture("lifetime", ["keep"]).ended;
  const pids = result.stdout.trim().split(" ").map(Number);
  try {
    assert.equal(result.code, 0);
    assert.equal(pids.filter(isAlive).length, 20);
  } finally {
    for (const pid of pids) process.kill(pid, "SIGKILL");
  }
});
