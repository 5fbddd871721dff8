// What launching at full speed does to the event loop of the thread that asks
// for it. Idle and churn are measured in the same process, one after the other.
import type { ContestantName } from "../contestants/registry.ts";
import type { Delay } from "../delay.ts";
import { median } from "../stats.ts";
import { churn, IN_FLIGHT, LEAST } from "./churn.ts";
import type { Bench, Findings, Row, Scenario } from "./scenario.ts";

const NAMES = ["child_process", "pidpool"] as const satisfies readonly ContestantName[];
const BAR_MS = 3;
const UNKNOWN: Delay = { p50: NaN, p99: NaN, max: NaN };

async function run(bench: Bench): Promise<Findings> {
  const rows: Row[] = [];
  const added: Record<(typeof NAMES)[number], number[]> = { pidpool: [], child_process: [] };
  const measures: (() => Promise<void>)[] = [];
  for (const name of NAMES) {
    const runner = bench.start(name);
    await churn(bench, runner, bench.milliseconds / 2);
    const row = (label: string): number[] => {
      const samples: number[] = [];
      rows.push({ group: name, label, samples });
      return samples;
    };
    const idle99 = row("idle, p99");
    const busy50 = row("churn, p50");
    const busy99 = row("churn, p99");
    const busyMax = row("churn, longest");
    measures.push(async () => {
      const { milliseconds } = bench;
      const quiet = await runner.ask("quiet", { milliseconds });
      const busy = await runner.ask("churn", {
        file: bench.children.nop,
        inFlight: IN_FLIGHT,
        milliseconds,
        least: LEAST,
        delay: true,
      });
      const delay: Delay = busy.delay ?? UNKNOWN;
      const idle: Delay = quiet.delay ?? UNKNOWN;
      idle99.push(idle.p99);
      busy50.push(delay.p50);
      busy99.push(delay.p99);
      busyMax.push(delay.max);
      added[name].push(delay.p99 - idle.p99);
    });
  }
  await bench.interleave(measures);
  const theirs = median(added.child_process);
  // While exits pour in, its loop may not come round in a whole round; see ../delay.ts.
  const stuck = theirs > bench.milliseconds * 0.9 ? ": its event loop did not come round once" : "";
  return {
    unit: "ms late",
    rows,
    bars: [
      {
        what: "pidpool: p99 of the churn over idle",
        relation: "at most",
        limit: BAR_MS,
        unit: "ms",
        value: median(added.pidpool),
      },
    ],
    notes: [`child_process: p99 of the churn over idle is ${theirs.toFixed(1)} ms${stuck}`],
  };
}

/** See the head of this file. */
export const delayScenario: Scenario = {
  name: "delay",
  title:
    "event-loop delay of the launching thread (monitorEventLoopDelay, 1 ms timer, less that 1 ms) during the churn",
  run,
};
