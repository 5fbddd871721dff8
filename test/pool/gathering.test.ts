// How long exits are left to gather: pure arithmetic, with a clock of its own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Gathering } from "#pidpool/pool/gathering.js";

/** After so many rounds of this rate, the nap for this queue. */
function napAfter(perLaunch: number, waiting: number, rounds = 100): number {
  const gathering = new Gathering();
  let done = 2 ** 31 - 50;
  let now = 1000;
  for (let i = 0; i < rounds; i++) {
    gathering.nap(waiting, done | 0, now);
    done += 10;
    now += (10 * perLaunch) / 1000;
  }
  return gathering.nap(waiting, done | 0, now);
}

test("nobody naps while few launches wait", () => {
  for (const waiting of [0, 1, 3]) assert.equal(napAfter(100, waiting), 0);
});

test("a nap ends well before the queue does, however fast launches are", () => {
  for (const perLaunch of [5, 40, 100, 190]) {
    for (const waiting of [4, 16, 30]) {
      const nap = napAfter(perLaunch, waiting);
      assert.ok(nap > 0.5 * waiting * perLaunch && nap <= 0.76 * waiting * perLaunch, `${nap} for ${waiting}`);
    }
  }
});

test("no nap is longer than 4 ms, and a standstill is not taken for slow launches", () => {
  assert.equal(napAfter(190, 30_000), 4000);
  const gathering = new Gathering();
  gathering.nap(10, 0, 0);
  const before = gathering.nap(10, 10, 0.3);
  const after = gathering.nap(10, 20, 60_000);
  assert.ok(after <= before * 1.06, `${before} before, ${after} after`);
});

test("a launcher that becomes faster is believed at once", () => {
  const gathering = new Gathering();
  let now = 0;
  let done = 0;
  for (let i = 0; i < 100; i++) gathering.nap(10, (done += 10), (now += 1.5));
  assert.ok(gathering.nap(10, done + 10, now + 0.2) <= 0.75 * 10 * 20.1);
});
