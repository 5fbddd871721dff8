// Every fault, by name.
import { descriptors } from "./descriptors.ts";
import type { Fault } from "./fault.ts";
import { kills, stops } from "./strangers.ts";
import { ignores, steals } from "./thieves.ts";
import { freezes, heap, throws } from "./threads.ts";
import { clock, late } from "./time.ts";

export const FAULTS: readonly Fault[] = [
  throws,
  heap,
  freezes,
  steals,
  ignores,
  stops,
  kills,
  clock,
  late,
  descriptors,
];
