// All scenarios, in the order in which they run.
import { captureScenario } from "./capture.ts";
import { churnScenario } from "./churn.ts";
import { delayScenario } from "./delay.ts";
import { heapScenario } from "./heap.ts";
import { idleScenario } from "./idle.ts";
import { isolationScenario } from "./isolation.ts";
import { latencyScenario } from "./latency.ts";
import { memoryScenario } from "./memory.ts";
import { microScenario } from "./micro.ts";
import type { Scenario } from "./scenario.ts";
import { restartsScenario } from "./restarts.ts";
import { stormScenario } from "./storm.ts";
import { threadsScenario } from "./threads.ts";
import { warmScenario } from "./warm.ts";

/** See each. */
export const SCENARIOS: readonly Scenario[] = [
  churnScenario,
  latencyScenario,
  heapScenario,
  idleScenario,
  stormScenario,
  delayScenario,
  captureScenario,
  memoryScenario,
  threadsScenario,
  isolationScenario,
  restartsScenario,
  warmScenario,
  microScenario,
];
