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

/** Levels that mean the same for every child of this process, whoever it runs as. */
const FIXED: ReadonlySet<unknown> = new Set(["none", "shared", "contained"]);
const fixed = new Map<unknown, Confined>();

/** @throws InvalidOptionError */
export function confine(o: Record<string, unknown>): Confined {
  const level = o["isolation"] ?? "shared";
  if (!FIXED.has(level) || KEYS.some((key) => o[key] !== undefined)) return resolve(o, level);
  let known = fixed.get(level);
  if (known === undefined) fixed.set(level, (known = resolve({}, level)));
  return known;
}

const KEYS = ["seccomp"] as const;

function resolve(o: Record<string, unknown>, level: unknown): Confined {
  const writer = new ConfinementWriter();
  const isolation = writeIsolation(writer, level);
  if (o["seccomp"] !== undefined) {
    writer.filter(compileSeccomp(o["seccomp"], process.arch === "arm64" ? "arm64" : "x64"));
    // Without it only CAP_SYS_ADMIN may install a filter: set-id programs would run under it.
    writer.flag(SPEC_FLAG.noNewPrivs);
  }
  return { confinement: writer.finish(), isolation };
}
