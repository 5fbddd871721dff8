// Everything that confines a child, from the options that say so. Each feature
// writes its own part.
import { ConfinementWriter, type Confinement } from "./confinement.ts";
import { writeIsolation, type IsolationPlan } from "./isolation.ts";

/** What is encoded, and what has to be there before the launch. */
export interface Confined {
  readonly confinement: Confinement | undefined;
  readonly isolation: IsolationPlan;
}

/** @throws InvalidOptionError */
export function confine(o: Record<string, unknown>): Confined {
  const writer = new ConfinementWriter();
  const isolation = writeIsolation(writer, o["isolation"] ?? "shared");
  return { confinement: writer.finish(), isolation };
}
