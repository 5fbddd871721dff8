// `npm run bench -- [scenario...] [--quick] [--save]`: measures, prints, and
// says whether the bars are met. Exit code 1 if one is missed.
import { parseArgs } from "node:util";
import { Harness, type Effort } from "./harness.ts";
import { describeMachine } from "./machine.ts";
import { formatBar, formatFindings, formatMachine, saveFindings } from "./report.ts";
import { captureScenario } from "./scenarios/capture.ts";
import { churnScenario } from "./scenarios/churn.ts";
import { delayScenario } from "./scenarios/delay.ts";
import { heapScenario } from "./scenarios/heap.ts";
import { idleScenario } from "./scenarios/idle.ts";
import { latencyScenario } from "./scenarios/latency.ts";
import { memoryScenario } from "./scenarios/memory.ts";
import { microScenario } from "./scenarios/micro.ts";
import { stormScenario } from "./scenarios/storm.ts";
import { threadsScenario } from "./scenarios/threads.ts";
import { isMet, type Bar, type Scenario } from "./scenarios/scenario.ts";

const SCENARIOS: readonly Scenario[] = [
  churnScenario,
  latencyScenario,
  heapScenario,
  idleScenario,
  stormScenario,
  delayScenario,
  captureScenario,
  memoryScenario,
  threadsScenario,
  microScenario,
];
const FULL: Effort = { rounds: 5, milliseconds: 600, quick: false };
const QUICK: Effort = { rounds: 2, milliseconds: 200, quick: true };
const USAGE = `npm run bench -- [${SCENARIOS.map(({ name }) => name).join(" | ")}]... [--quick] [--save]
  --quick  fewer and shorter rounds, no large sizes
  --save   write bench/results/<scenario>.json`;

interface Request {
  readonly scenarios: readonly Scenario[];
  readonly quick: boolean;
  readonly save: boolean;
}

function readArguments(): Request {
  const options = { quick: { type: "boolean", default: false }, save: { type: "boolean", default: false } } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((wanted) => !SCENARIOS.some(({ name }) => name === wanted));
    if (unknown !== undefined) throw new Error(`there is no scenario "${unknown}"`);
    const scenarios = SCENARIOS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
    return { scenarios, ...values };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function main({ scenarios, quick, save }: Request): Promise<void> {
  const machine = describeMachine();
  const harness = new Harness(quick ? QUICK : FULL);
  console.log(formatMachine(machine));
  const missed: Bar[] = [];
  for (const scenario of scenarios) {
    console.log(`\n${scenario.name}: ${scenario.title}`);
    const findings = await harness.run(scenario);
    console.log(formatFindings(findings));
    missed.push(...findings.bars.filter((bar) => isMet(bar) === false));
    if (save) saveFindings(scenario, machine, findings);
  }
  if (missed.length > 0) {
    console.error(`\nmissed:\n${missed.map((bar) => `  ${formatBar(bar)}`).join("\n")}`);
    process.exitCode = 1;
  }
}

// Exit listeners remove what was made and kill what was started.
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const) {
  process.on(signal, () => process.exit(128 + number));
}
await main(readArguments());
