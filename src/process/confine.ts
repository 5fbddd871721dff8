// All that confines a child, from the options that ask for it: each has its own
// file and writes its own part.
import { ConfinementWriter, type Confinement } from "./confinement.ts";
import { writeLandlock, type Landlock } from "./landlock.ts";
import { writeLimits, type Rlimit } from "./limits.ts";
import type { LaunchOptions } from "./options.ts";

/** What the child is told, and what an explanation of its end may need to know of it. */
export interface Confined {
  readonly confinement: Confinement | undefined;
  readonly limits: readonly Rlimit[];
  readonly landlock: Landlock | undefined;
}

/**
 * Checks the options and writes them down.
 *
 * @throws InvalidOptionError
 * @throws IsolationError where this machine cannot do it.
 */
export function confine(o: { readonly [Key in keyof LaunchOptions]?: unknown }, cwd: string | undefined): Confined {
  const writer = new ConfinementWriter();
  const limits = writeLimits(writer, o.limits);
  const landlock = writeLandlock(writer, o.filesystem, o.tcp, cwd);
  return { confinement: writer.finish(), limits, landlock };
}
