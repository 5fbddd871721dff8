// Where this process's own group of cgroup v2 is, as cgroups(7) tells.
import { existsSync } from "node:fs";
import { posix } from "node:path";
import { linesOf } from "./text-files.ts";

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
  const groups = linesOf("/proc/self/cgroup");
  const name = groups.find((line) => line.startsWith("0::"))?.slice("0::".length);
  const old = groups.filter((line) => !line.startsWith("0::")).flatMap((line) => (line.split(":")[1] ?? "").split(","));
  const mounts = linesOf("/proc/self/mountinfo").flatMap((line) => {
    const [fields = "", type = ""] = line.split(" - ");
    const [, , , root = "/", point = "/"] = fields.split(" ");
    return type.startsWith("cgroup2 ") ? [{ root: unescape(root), point: unescape(point) }] : [];
  });
  const directories = mounts.flatMap(({ root, point }) => {
    const inside = name === undefined ? ".." : posix.relative(root, name);
    const directory = posix.join(point, inside);
    return inside.startsWith("..") || !existsSync(posix.join(directory, "cgroup.controllers")) ? [] : [directory];
  });
  return { mount: mounts[0]?.point, name, directory: directories[0], old };
}

/** The kernel writes blanks in paths as octal numbers. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
