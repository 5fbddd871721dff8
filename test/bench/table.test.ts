// Rows, medians, and where the hero loses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { losses } from "../../bench/scenarios/losses.ts";
import { Table } from "../../bench/scenarios/table.ts";
import { percentile } from "../../bench/stats.ts";

function table(): Table {
  const result = new Table();
  result.samples("a", "hero", { x: 1 }).push(10, 30, 20);
  result.samples("b", "hero").push(4);
  result.samples("a", "other", { x: 1 }).push(5);
  result.samples("a", "C, floor", { x: 1 }).push(1);
  result.samples("b", "other").push(4.1);
  result.samples("b", "absent");
  return result;
}

test("rows come group by group, without those that were never measured", () => {
  const rows = table().measured.map(({ group, label }) => `${group} ${label}`);
  assert.deepEqual(rows, ["a hero", "a other", "a C, floor", "b hero", "b other"]);
});

test("ratios are of medians, and NaN of what was not measured", () => {
  assert.equal(table().ratio("a", "other", "hero", 1), 0.25);
  assert.ok(Number.isNaN(table().ratio("b", "absent", "hero")));
});

test("losses are told of contestants, not of floors, and not of ties", () => {
  assert.deepEqual(losses(table(), "hero"), ["hero loses to other, a: its figure is 0.25 at 1 of hero's"]);
  assert.deepEqual(losses(table(), "hero", { least: 16 }), []);
});

test("a percentile is a sample", () => {
  const samples = [5, 1, 4, 2, 3];
  assert.deepEqual([percentile(samples, 0.5), percentile(samples, 0.99), percentile(samples, 0)], [3, 5, 1]);
});
