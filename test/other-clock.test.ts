// Runtimes whose process.hrtime() begins with the process, not with the machine: Bun and Deno.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startFixture } from "./helpers/fixture.ts";

/** In every thread, before anything else. */
const OTHER_CLOCK = `
const { bigint } = process.hrtime;
const origin = bigint();
process.hrtime = () => {
  const ns = bigint() - origin;
  return [Number(ns / 1000000000n), Number(ns % 1000000000n)];
};
`;

test("times, timeouts and killAfter hold where hrtime() begins with the process", async () => {
  const module = `data:text/javascript,${encodeURIComponent(OTHER_CLOCK)}`;
  const { stdout, stderr } = await startFixture("other-clock", [], ["env", `NODE_OPTIONS=--import=${module}`]).ended;
  assert.equal(stderr, "");
  const { hrtime, wallMs, late, reason, status } = JSON.parse(stdout) as Record<string, number | string>;
  assert.ok(Number(hrtime) < 100, "the clock was not replaced");
  assert.ok(Number(wallMs) >= 199, `${wallMs} ms for a sleep of 200`);
  assert.ok(Number(late) >= -20 && Number(late) < 100_000, `started ${late} ms after the call`);
  assert.deepEqual([reason, status], ["timeout", "signaled"]);
});
