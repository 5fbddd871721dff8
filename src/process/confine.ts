// Everything that confines a child, from the options that say so. Each feature
// writes its own part.
import { ConfinementWriter, type Confinement } from "./confinement.ts";
import { SPEC_FLAG } from "../native/layout.ts";
import { compileSeccomp } from "./seccomp/seccomp.ts";
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
  if (o["seccomp"] !== undefined) {
    writer.filter(compileSeccomp(o["seccomp"], process.arch === "arm64" ? "arm64" : "x64"));
    // Without it only CAP_SYS_ADMIN may install a filter: set-id programs would run under it.
    writer.flag(SPEC_FLAG.noNewPrivs);
  }
  return { confinement: writer.finish(), isolation };
}
