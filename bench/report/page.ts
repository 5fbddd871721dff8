// docs/benchmarks.md, from results and nothing else: the same bytes from the
// same results.
import { findContestants } from "./contestants.ts";
import { blocks } from "./markdown.ts";
import { arrange } from "./panel.ts";
import type { Result } from "./result.ts";
import { describeScenario } from "./section.ts";
import { describeSetups } from "./setup.ts";
import { listDefeats, summarizeBars } from "./verdicts.ts";

const NOTICE = "<!-- Written by `npm run bench:report` from bench/results/. Do not edit: run it again. -->";

const INTRODUCTION = `How pidpool compares with other ways to start children, and with what the kernel alone takes. Every figure and every
verdict here comes from the files in [bench/results](../bench/results), which hold each single round too.`;

const METHOD = `- Each contestant has a process of its own, and its event loop is its own. The processes of one comparison live at the
  same time, and all but one of them wait. A floor is a new process in every round.
- A round measures every contestant once, in an order that is shuffled for each round: what disturbs the machine for a
  while hits all of them, and nobody always comes second.
- Before the rounds, each contestant launches for a while unmeasured.
- A figure is the median of the rounds. Its spread is the least and the greatest of them; no round is left out.
- "÷ pidpool" divides a median by pidpool's in the same place. Where lower is better, above 1 means that pidpool is
  ahead.
- The children are small static programs without a C library, unless a scenario says otherwise, so that what is measured
  is the launching and not the child. All contestants start the same ones, with the same environment.
- The contestants share the machine's cores with the children that they start. Figures differ from machine to machine;
  the ratios are what to look at.`;

const REPEAT = `\`\`\`sh
npm install
npm run bench                     # all scenarios; a bar that is missed is exit code 1
npm run bench -- churn --quick    # one of them, with fewer and shorter rounds
npm run bench -- --save           # and keep the results, in bench/results/
npm run bench:report              # this page and its plots, from the results that are kept
\`\`\``;

const PLOTS = `In the plots a symbol is a median, the line through it goes from the least round to the greatest, and the faint dots are
the rounds. Axes are logarithmic; a zero has its place beyond a break.`;

/** The whole page. */
export function renderPage(results: readonly Result[]): string {
  const contestants = findContestants(results);
  const arranged = results.map((result) => ({ result, panels: arrange(result, contestants) }));
  const page = blocks(
    NOTICE,
    "# Benchmarks",
    INTRODUCTION,
    "## Summary",
    summarizeBars(results),
    "## Where pidfd does not win",
    listDefeats(arranged),
    "## How it was measured",
    METHOD,
    PLOTS,
    "## Machine and versions",
    describeSetups(results),
    "## How to repeat it",
    REPEAT,
    ...arranged.map((one) => describeScenario(one, contestants)),
  );
  return `${page}\n`;
}
