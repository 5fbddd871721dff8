// What to say of a launch that failed because of the child's own limits or
// rules. Part of diagnose.ts.
import { quoted } from "../errors.ts";
import { realpath } from "node:fs/promises";
import { E2BIG, EAFNOSUPPORT, ENOENT, ENOTDIR, EPERM, errnoMeaning } from "../native/errno.ts";
import { isBeneath } from "./landlock.ts";
import type { LaunchSpec } from "./spec.ts";

/** Stage "rlimit": `detail` is the index of the limit. */
export function explainLimit({ limits }: LaunchSpec, errno: number, detail: number): string | undefined {
  const limit = limits[detail];
  if (limit === undefined) return undefined;
  const why =
    errno === EPERM
      ? "it is above the hard limit, and raising that takes CAP_SYS_RESOURCE in the initial user namespace"
      : errnoMeaning(errno);
  return `limits.${limit.option}, ${limit.value}, is refused: ${why}`;
}

/** Stage "landlock": `detail` is 0 for the ruleset, else the index of the rule and 1. */
export async function explainLandlock(
  { landlock, isolation }: LaunchSpec,
  errno: number,
  detail: number,
): Promise<string | undefined> {
  const rule = landlock?.rules[detail - 1];
  if (rule === undefined) {
    return errno === E2BIG ? "this process is under as many Landlock rulesets as the kernel stacks (16)" : undefined;
  }
  if (rule.path === undefined) {
    return errno === EAFNOSUPPORT ? `${rule.option} is refused: this kernel has no TCP` : undefined;
  }
  const name = `${rule.option}, ${quoted(rule.path)},`;
  if (errno === ENOENT) return `${name} ${(await explainHidden({ isolation }, rule.path)) ?? "does not exist"}`;
  if (errno === ENOTDIR) return `${name} leads through something that is no directory`;
  return `${name} cannot be opened: ${errnoMeaning(errno)}`;
}

/** The system call that failed at the stage "landlock". */
export function landlockCall({ landlock }: LaunchSpec, detail: number): string {
  const rule = landlock?.rules[detail - 1];
  if (rule === undefined) return "landlock_restrict_self";
  return rule.path === undefined ? "landlock_add_rule" : "openat";
}

/** Stage "execve", EACCES, where the option filesystem is given. `file` is the program where it was found. */
export async function explainForbidden(
  { landlock }: LaunchSpec,
  file: string | undefined,
): Promise<string | undefined> {
  const execute = landlock?.execute;
  if (execute === undefined) return undefined;
  const dirs = await Promise.all(execute.map((path) => real(path)));
  const program = file === undefined ? undefined : await real(file);
  if (program !== undefined && !dirs.some((dir) => isBeneath(program, dir))) {
    return `${quoted(program)} lies outside filesystem.execute`;
  }
  return "permission denied; its ELF loader or #! interpreter may lie outside filesystem.execute, where they must be, too";
}

/** ENOENT of something that is there for us: the child looks into a /tmp of its own. */
export async function explainHidden(
  { isolation }: Pick<LaunchSpec, "isolation">,
  path: string,
): Promise<string | undefined> {
  if (!isolation.hidesTmp || !isBeneath(await realpath(path).catch(() => ""), "/tmp")) return undefined;
  return "lies beneath /tmp, in whose place isolation.mount.tmp gives the child an empty one";
}

function real(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** What a limit of the child has to do with a lack of something at "execve". */
export function explainScarcity({ limits }: LaunchSpec, options: readonly string[]): string {
  const set = limits.filter(({ option, value }) => options.includes(option) && value < Infinity);
  return set.map(({ option, value }) => `; limits.${option} is ${value}`).join("");
}
