// `npm run bench -- [scenario...] [--quick] [--rounds N] [--save]`: measures,
// prints, and says whether the bars are met. Exit code 1 if one is missed.
import { performance } from "node:perf_hooks";
import { Harness } from "./harness.ts";
import { describeMachine } from "./machine.ts";
import { formatBar, formatFindings, formatMachine, saveFindings } from "./report.ts";
import { readRequest, type Request } from "./request.ts";
import { isMet, type Bar, type Findings } from "./scenarios/scenario.ts";

async function main({ scenarios, effort, save }: Request): Promise<void> {
  const machine = describeMachine();
  const harness = new Harness(effort);
  console.log(formatMachine(machine));
  const missed: Bar[] = [];
  for (const scenario of scenarios) {
    console.log(`\n${scenario.name}: ${scenario.title}`);
    const start = performance.now();
    let findings: Findings;
    try {
      findings = await harness.run(scenario);
    } catch (error) {
      // The others can be measured all the same.
      console.error(error);
      process.exitCode = 1;
      continue;
    }
    console.log(formatFindings(findings));
    console.log(`  took ${((performance.now() - start) / 1000).toFixed(0)} s`);
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
  process.on(signal, () => {
    console.error(`ended by ${signal}`);
    process.exit(128 + number);
  });
}
await main(readRequest());
