// Everything that confines a child, from the options that say so. Each feature
// writes its own part.
import { SPEC_FLAG } from "../native/layout.ts";
import { bare } from "./bare.ts";
import { bag } from "./validate.ts";
import { CGROUP_LIMIT_KEYS, planCgroup, type CgroupPlan } from "./cgroup-limits.ts";
import { ConfinementWriter, type Confinement } from "./confinement.ts";
import { writeIsolation, type IsolationPlan } from "./isolation.ts";
import { writeLandlock, type Landlock } from "./landlock.ts";
import { RLIMIT_KEYS, writeLimits, type Rlimit } from "./limits.ts";
import type { LaunchOptions } from "./options.ts";
import { compileSeccomp } from "./seccomp/seccomp.ts";

/** What is encoded, what has to be there before the launch, and what an explanation of the end may need to know. */
export interface Confined {
  readonly confinement: Confinement | undefined;
  readonly isolation: IsolationPlan;
  readonly limits: readonly Rlimit[];
  readonly landlock: Landlock | undefined;
  readonly cgroup: CgroupPlan | undefined;
}

type Given = { readonly [Key in keyof LaunchOptions]?: unknown };

/** Levels that mean the same for every child of this process, whoever it runs as. */
const FIXED: ReadonlySet<unknown> = new Set(["none", "shared", "contained"]);
const fixed = new Map<unknown, Confined>();
const LIMIT_KEYS: ReadonlySet<string> = new Set([...RLIMIT_KEYS, ...CGROUP_LIMIT_KEYS]);
/** The options that confine beside the level. */
const OTHERS = ["limits", "cgroup", "filesystem", "tcp", "seccomp"] as const;

/**
 * Checks the options and writes them down.
 *
 * @throws InvalidOptionError
 * @throws IsolationError where this machine is known not to do it.
 */
export function confine(o: Given, cwd: string | undefined): Confined {
  const level = o.isolation ?? "shared";
  if (!FIXED.has(level) || OTHERS.some((key) => o[key] !== undefined)) return resolve(o, level, cwd);
  let known = fixed.get(level);
  if (known === undefined) fixed.set(level, (known = resolve(bare({}), level, cwd)));
  return known;
}

function resolve(o: Given, level: unknown, cwd: string | undefined): Confined {
  const writer = new ConfinementWriter();
  const isolation = writeIsolation(writer, level);
  const asked = bag("limits", o.limits, LIMIT_KEYS);
  const limits = writeLimits(writer, asked);
  const cgroup = planCgroup(asked, o.cgroup, o.orphans === "keep" ? "keep" : "kill");
  const landlock = writeLandlock(writer, o.filesystem, o.tcp, cwd);
  if (o.seccomp !== undefined) {
    writer.filter(compileSeccomp(o.seccomp, process.arch === "arm64" ? "arm64" : "x64"));
    // Without it only CAP_SYS_ADMIN may install a filter: set-id programs would run under it.
    writer.flag(SPEC_FLAG.noNewPrivs);
  }
  return { confinement: writer.finish(), isolation, limits, landlock, cgroup };
}
