import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { spreadLabels } from "../../../bench/plots/labels.ts";

describe("labels", () => {
  test("stay where they have room", () => {
    assert.deepEqual(spreadLabels([50, 10, 30], 15, 0, 100), [50, 10, 30]);
  });

  test("that touch move apart to both sides, in their order", () => {
    assert.deepEqual(spreadLabels([52, 50, 48], 10, 0, 100), [60, 50, 40]);
  });

  test("push others that they come to touch", () => {
    assert.deepEqual(
      spreadLabels([50, 50, 58], 10, 0, 100),
      [42.666666666666664, 52.666666666666664, 62.666666666666664],
    );
  });

  test("stay between the bounds", () => {
    assert.deepEqual(spreadLabels([99, 100], 10, 0, 100), [90, 100]);
    assert.deepEqual(spreadLabels([1, 0, 25], 10, 0, 100), [10, 0, 25]);
  });
});
