// What is published says what was measured.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { loadLibrary } from "../../../bench/plots/library.ts";
import { renderPlot } from "../../../bench/plots/plot.ts";
import { findContestants } from "../../../bench/report/contestants.ts";
import { renderPage } from "../../../bench/report/page.ts";
import { fillFigures, PAGES_WITH_FIGURES } from "../../../bench/report/readme.ts";
import { readResults } from "../../../bench/report/result.ts";
import { plotPath } from "../../../bench/report/section.ts";
import { ROOT } from "../../../bench/root.ts";

const STALE = "it is not what bench/results/ gives; npm run bench:report writes it anew";
const results = readResults(join(ROOT, "bench/results"));
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

const major = (version: string | undefined): string => (version ?? "").split(".", 1)[0] ?? "";

describe("from bench/results comes", () => {
  test("docs/benchmarks.md", () => {
    assert.ok(renderPage(results) === read("docs/benchmarks.md"), STALE);
  });

  test("a plot for every scenario, and no other", () => {
    assert.deepEqual(
      readdirSync(join(ROOT, "docs/benchmarks")).toSorted(),
      results.map(({ scenario }) => `${scenario}.svg`).toSorted(),
      STALE,
    );
  });

  test("each plot", async (t) => {
    const library = await loadLibrary().catch((error: unknown) => (error as Error).message);
    if (typeof library === "string") return t.skip(library);
    // V8's logarithms differ in the last digit from one version to another.
    const versions = results[0]?.machine["versions"] as Readonly<Record<string, string>> | undefined;
    const drawnOn = major(versions?.["node"]);
    if (major(process.versions.node) !== drawnOn) return t.skip(`the plots were drawn on Node ${drawnOn}`);
    for (const result of results) {
      const plot = renderPlot(library, result, findContestants(results));
      assert.ok(plot === read(`docs/${plotPath(result.scenario)}`), `${result.scenario}: ${STALE}`);
    }
  });

  for (const name of PAGES_WITH_FIGURES) {
    test(`every figure that ${name} has from there`, () => {
      const page = read(name);
      assert.ok(fillFigures(page, results) === page, STALE);
    });
  }
});
