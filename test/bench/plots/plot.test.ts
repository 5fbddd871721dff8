import assert from "node:assert/strict";
import { before, describe, test, type TestContext } from "node:test";
import { loadLibrary, type Library } from "../../../bench/plots/library.ts";
import { renderPlot } from "../../../bench/plots/plot.ts";
import { findContestants } from "../../../bench/report/contestants.ts";
import { IDLE, LAUNCH } from "../../helpers/results.ts";

describe("a plot", () => {
  const contestants = findContestants([IDLE, LAUNCH]);
  let library: Library | string;

  before(async () => {
    library = await loadLibrary().catch((error: unknown) => (error as Error).message);
  });

  /** Undefined, and the test skipped, where the plotting packages are missing. */
  function draw(t: TestContext, result = LAUNCH): string | undefined {
    if (typeof library !== "string") return renderPlot(library, result, contestants);
    t.skip(library);
    return undefined;
  }

  test("stands for itself: SVG of its own, white behind", (t) => {
    const svg = draw(t);
    if (svg === undefined) return;
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
    assert.match(svg, /<rect width="\d+" height="\d+" fill="white"\/>/);
    assert.doesNotMatch(svg, /&nbsp;|NaN|undefined/);
  });

  test("shows who took part, and who has no figure", (t) => {
    const svg = draw(t);
    if (svg === undefined) return;
    for (const text of ["child_process", "pidpool", "C, wait4", "execa", "not measured", "1 000 · 10.0 ×"])
      assert.ok(svg.replaceAll(/\u00a0|&#160;/g, " ").includes(`>${text}<`), text);
  });

  test("on an axis has a place for zero", (t) => {
    const svg = draw(t, IDLE);
    if (svg === undefined) return;
    for (const text of [
      "0",
      "//",
      "100",
      "idle children",
      "µs a child, lower is better",
      "MB/s, higher is better",
      "exits",
    ])
      assert.ok(svg.includes(`>${text}<`), text);
    assert.doesNotMatch(svg, /&nbsp;|NaN|undefined/);
  });

  test("is the same each time", (t) => {
    const svg = draw(t, IDLE);
    if (svg !== undefined) assert.equal(draw(t, IDLE), svg);
  });
});
