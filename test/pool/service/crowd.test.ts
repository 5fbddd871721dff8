// A thousand services; `npm run soak:services` has them crash for a minute.
import assert from "node:assert/strict";
import { test } from "node:test";
import { crowd } from "../../helpers/crowd.ts";
import { childPids } from "../../helpers/processes.ts";

test("of 1 000 services of which a tenth crashes in every second, each is restarted, and none early", async (t) => {
  const { crashes, restarts, early, cpu } = await crowd(1000, 0.1, 5);
  t.diagnostic(`${crashes} crashes, main thread busy for ${(cpu * 100).toFixed(1)} %`);
  assert.ok(crashes > 300, `${crashes}`);
  assert.equal(restarts, crashes);
  assert.equal(early, 0);
  assert.equal(childPids().length, 0);
});
