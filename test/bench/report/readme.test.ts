import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fillFigures } from "../../../bench/report/readme.ts";
import { IDLE, LAUNCH } from "../../helpers/results.ts";

const RESULTS = [IDLE, LAUNCH];

describe("figures in a text", () => {
  test("come from the results", () => {
    const text = `before

<!-- bench:table child_process | pidpool
a launch | launch | one
beside 10 000 | idle | 64 in flight | 10 000
-->
whatever stood here
<!-- /bench -->

after`;
    const filled = fillFigures(text, RESULTS).replaceAll("\u00a0", " ");
    assert.match(filled, /^before\n\n<!-- bench:table/);
    assert.match(filled, /\| a launch +\| +1 000 µs \| +100 µs \| +10.0 × \|\n/);
    assert.match(filled, /\| beside 10 000 +\| +10 901 µs \| +61.0 µs \| +179 × \|\n/);
    assert.match(filled, /\n\n<!-- \/bench -->\n\nafter$/);
    assert.doesNotMatch(filled, /whatever/);
  });

  test("stay as they are when nothing has changed", () => {
    const filled = fillFigures("<!-- bench:bars --><!-- /bench -->\n<!-- bench:setup --><!-- /bench -->\n", RESULTS);
    assert.match(filled, /1 of 3 bars met/);
    assert.match(filled, /Some CPU, 2 cores, Linux 6\.1\.0, Node 20\.0\.0, 2026-01-02\./);
    assert.equal(fillFigures(filled, RESULTS), filled);
  });

  test("that there are not are no dash, but an error", () => {
    const text = "<!-- bench:table pidpool\na launch | launch | many\n-->\n<!-- /bench -->";
    assert.throws(
      () => fillFigures(text, RESULTS),
      /no results of "launch", "many", which "a launch" asks for; there is "one", "first"/,
    );
    assert.throws(() => fillFigures("<!-- bench:plot --><!-- /bench -->", RESULTS), /no bench:plot/);
  });
});
