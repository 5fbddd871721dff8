import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { countEnd, NO_ENDS, type Intensity } from "#pidpool/pool/service/intensity.js";

/** Ends at times of a fake clock, counted until there are too many; how many were counted. */
function stands(times: readonly number[], limit: Intensity): number {
  let tally = NO_ENDS;
  for (const [i, now] of times.entries()) {
    const counted = countEnd(tally, now, limit);
    if (counted.tooMany) return i + 1;
    tally = counted.tally;
  }
  return times.length;
}

/** What is documented, word for word: more than `intensity` ends within `period`. */
function documented(times: readonly number[], { intensity, period }: Intensity): number {
  const fatal = times.findIndex(
    (now, i) => times.slice(0, i + 1).filter((at) => now - at <= period).length > intensity,
  );
  return fatal < 0 ? times.length : fatal + 1;
}

const limits = fc.record({ intensity: fc.nat(5), period: fc.integer({ min: 1, max: 100 }) });
const clocks = fc
  .array(fc.nat(60), { maxLength: 30 })
  .map((gaps) => gaps.map((_, i) => gaps.slice(0, i + 1).reduce((sum, gap) => sum + gap, 0)));

test("a group fails at the end that is more than intensity within the period, and at no other", () => {
  fc.assert(
    fc.property(clocks, limits, (times, limit) => assert.equal(stands(times, limit), documented(times, limit))),
  );
});

test("an end exactly as old as the period counts, as in OTP; an older one does not", () => {
  const limit = { intensity: 1, period: 5_000 };
  assert.equal(stands([0, 5_000], limit), 2);
  assert.equal(countEnd([0], 5_000, limit).tooMany, true);
  assert.equal(countEnd([0], 5_000.1, limit).tooMany, false);
});

test("intensity 0 stands no end at all", () => {
  assert.equal(countEnd(NO_ENDS, 0, { intensity: 0, period: 1 }).tooMany, true);
});

test("a tally holds no more than intensity and one, however long a group lives", () => {
  fc.assert(
    fc.property(clocks, limits, (times, limit) => {
      let tally = NO_ENDS;
      for (const now of times) {
        const counted = countEnd(tally, now, limit);
        assert.ok(counted.tally.length <= limit.intensity + 1);
        if (counted.tooMany) return;
        tally = counted.tally;
      }
    }),
  );
});
