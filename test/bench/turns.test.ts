// Events are counted by turns of the event loop, and so is the work.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Turns } from "../../bench/runner/turns.ts";

test("what comes in one turn counts as one", async () => {
  let now = 0;
  const turns = new Turns(() => now);
  for (let i = 0; i < 5; i++) turns.count();
  now = 7;
  await turns.end();
  await sleep(1);
  turns.count();
  turns.count();
  now = 10;
  await turns.end();
  assert.deepEqual([turns.number, turns.largest, turns.longest], [2, 5, 7]);
});
