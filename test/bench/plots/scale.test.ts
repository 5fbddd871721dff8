import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { scaleAround, scaleAt } from "../../../bench/plots/scale.ts";

describe("a logarithmic axis", () => {
  test("goes from one round number to another", () => {
    const { domain, ticks, zero } = scaleAround([61, 961], 8);
    assert.deepEqual(domain, [50, 1000]);
    assert.deepEqual(ticks, [50, 100, 200, 500, 1000]);
    assert.equal(zero, undefined);
  });

  test("has round numbers below one, too", () => {
    assert.deepEqual(scaleAround([0.0011, 0.9], 4).ticks, [0.001, 0.01, 0.1, 1]);
  });

  test("has ticks for decades only where there are many", () => {
    const { ticks, minorTicks } = scaleAround([1, 10_000], 5);
    assert.deepEqual(ticks, [1, 10, 100, 1000, 10_000]);
    assert.ok(minorTicks.includes(20) && !minorTicks.includes(10));
  });

  test("has a place for zero below the least figure", () => {
    const { zero, place, format, ticks } = scaleAt([0, 10, 1000], 0.1);
    assert.ok(zero !== undefined && zero < 10);
    assert.deepEqual(ticks, [zero, 10, 1000]);
    assert.equal(place(0), zero);
    assert.equal(format(zero), "0");
    assert.equal(place(10), 10);
  });

  test("leaves out ticks that have no room, its ends and decades last", () => {
    assert.deepEqual(scaleAt([10, 90, 100, 110, 1000], 0.2).ticks, [10, 100, 1000]);
  });

  test("spans something where all figures are the same, or none is above zero", () => {
    for (const { domain } of [scaleAround([7, 7], 8), scaleAt([7], 0.1), scaleAround([0], 8), scaleAround([], 8)])
      assert.ok(domain[0] > 0 && domain[1] > domain[0]);
  });
});
