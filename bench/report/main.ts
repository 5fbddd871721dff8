// `npm run bench:report`: writes docs/benchmarks.md, its plots and the figures
// in other pages from bench/results/.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadLibrary } from "../plots/library.ts";
import { renderPlot } from "../plots/plot.ts";
import { ROOT } from "../root.ts";
import { findContestants } from "./contestants.ts";
import { renderPage } from "./page.ts";
import { fillFigures, PAGES_WITH_FIGURES } from "./readme.ts";
import { readResults } from "./result.ts";
import { plotPath } from "./section.ts";

const DOCS = join(ROOT, "docs");

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const results = readResults(join(ROOT, "bench/results"));
const contestants = findContestants(results);
const library = await loadLibrary();

// A scenario that is no more leaves no plot.
const folder = join(DOCS, dirname(plotPath("any")));
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (name.endsWith(".svg")) rmSync(join(folder, name));

for (const result of results) write(join(DOCS, plotPath(result.scenario)), renderPlot(library, result, contestants));
write(join(DOCS, "benchmarks.md"), renderPage(results));
for (const name of PAGES_WITH_FIGURES) {
  const page = join(ROOT, name);
  writeFileSync(page, fillFigures(readFileSync(page, "utf8"), results));
}
console.log(`wrote docs/benchmarks.md, ${results.length} plots and the figures of ${PAGES_WITH_FIGURES.join(" and ")}`);
