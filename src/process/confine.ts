// Everything that confines a child, from the options that say so. Each feature
// writes its own part.
import { SPEC_FLAG } from "../native/layout.ts";
import { ConfinementWriter, type Confinement } from "./confinement.ts";
import { writeIsolation, type IsolationPlan } from "./isolation.ts";
import { writeLandlock, type Landlock } from "./landlock.ts";
import { writeLimits, type Rlimit } from "./limits.ts";
import type { LaunchOptions } from "./options.ts";
import { compileSeccomp } from "./seccomp/seccomp.ts";

/** What is encoded, what has to be there before the launch, and what an explanation of the end may need to know. */
export interface Confined {
  readonly confinement: Confinement | undefined;
  readonly isolation: IsolationPlan;
  readonly limits: readonly Rlimit[];
  readonly landlock: Landlock | undefined;
}

/**
 * Checks the options and writes them down.
 *
 * @throws InvalidOptionError
 * @throws IsolationError where this machine is known not to do it.
 */
export function confine(o: { readonly [Key in keyof LaunchOptions]?: unknown }, cwd: string | undefined): Confined {
  const writer = new ConfinementWriter();
  const isolation = writeIsolation(writer, o.isolation ?? "shared");
  const limits = writeLimits(writer, o.limits);
  const landlock = writeLandlock(writer, o.filesystem, o.tcp, cwd);
  if (o.seccomp !== undefined) {
    writer.filter(compileSeccomp(o.seccomp, process.arch === "arm64" ? "arm64" : "x64"));
    // Without it only CAP_SYS_ADMIN may install a filter: set-id programs would run under it.
    writer.flag(SPEC_FLAG.noNewPrivs);
  }
  return { confinement: writer.finish(), isolation, limits, landlock };
}
