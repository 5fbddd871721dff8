// Where this process's own group of cgroup v2 is, as cgroups(7) tells.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { directoryOf, parseMountinfo, parseOwnCgroup } from "../native/cgroup-mounts.ts";
import { textOf } from "./text-files.ts";

/** What there is of cgroup v2. */
export interface CgroupTree {
  /** Where it is mounted, if so. */
  readonly mount: string | undefined;
  /** This process's group, as the kernel names it. */
  readonly name: string | undefined;
  /** Its directory, where that can be seen. */
  readonly directory: string | undefined;
  /** Controllers that version 1 holds. */
  readonly old: readonly string[];
}

export function findCgroups(): CgroupTree {
  const groups = textOf("/proc/self/cgroup") ?? "";
  const name = parseOwnCgroup(groups);
  const old = groups
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("0::"))
    .flatMap((line) => (line.split(":")[1] ?? "").split(","));
  const { mounts } = parseMountinfo(textOf("/proc/self/mountinfo") ?? "");
  const directory = name === undefined ? undefined : directoryOf(name, mounts);
  const seen = directory !== undefined && existsSync(join(directory, "cgroup.controllers"));
  return { mount: mounts[0]?.point, name, directory: seen ? directory : undefined, old };
}
