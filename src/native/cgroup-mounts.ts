// Where cgroups are on this machine, as /proc tells it.

/** One mount of the cgroup v2 hierarchy: its directory `root` appears at `point`. */
export interface CgroupMount {
  readonly root: string;
  readonly point: string;
}

/** All mounts that have to do with cgroups. */
export interface Hierarchy {
  readonly mounts: readonly CgroupMount[];
  /** Controllers that cgroup v1 holds, and which cgroup v2 therefore lacks, by their v2 names, with their mounts. */
  readonly legacy: ReadonlyMap<string, string>;
}

/** Reads /proc/self/mountinfo. proc_pid_mountinfo(5) */
export function parseMountinfo(text: string): Hierarchy {
  const mounts: CgroupMount[] = [];
  const legacy = new Map<string, string>();
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    // Any number of optional fields, then a dash.
    const dash = fields.indexOf("-", 6);
    if (dash < 0) continue;
    const type = fields[dash + 1];
    const point = unescapeOctal(fields[4] ?? "");
    if (type === "cgroup2") mounts.push({ root: unescapeOctal(fields[3] ?? ""), point });
    if (type !== "cgroup") continue;
    for (const option of (fields[dash + 3] ?? "").split(",")) legacy.set(option === "blkio" ? "io" : option, point);
  }
  return { mounts, legacy };
}

/** mountinfo writes blanks, tabs, newlines and backslashes as octal. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/**
 * The process's own group in cgroup v2, from /proc/self/cgroup, where nothing is escaped: a `\x2d`, which systemd
 * likes in names, is just that. Undefined where there is none, or where it was removed.
 */
export function parseOwnCgroup(text: string): string | undefined {
  const line = text.split("\n").find((entry) => entry.startsWith("0::"));
  return line === undefined || line.endsWith(" (deleted)") ? undefined : line.slice(3);
}

/** The directory of a group, undefined where no mount shows it. */
export function directoryOf(group: string, mounts: readonly CgroupMount[]): string | undefined {
  for (const { root, point } of mounts) {
    const prefix = root === "/" ? "" : root;
    if (group !== root && !group.startsWith(`${prefix}/`)) continue;
    const below = group.slice(prefix.length);
    // Groups beyond the root of our cgroup namespace begin with "/..".
    if (below.split("/").includes("..")) continue;
    return below === "/" ? point : `${point === "/" ? "" : point}${below}`;
  }
  return undefined;
}

/**
 * Whether the group lies inside a systemd unit that holds processes, as opposed to the unit itself: with
 * `DelegateSubgroup=main` ours is `…/name.service/main`, and its parent is for us to manage. Slices never are.
 */
export function isInsideUnit(group: string): boolean {
  const nearest = group
    .split("/")
    .slice(0, -1)
    .findLast((name) => /\.(service|scope|slice|socket|mount|swap)$/.test(name));
  return nearest !== undefined && /\.(service|scope)$/.test(nearest);
}
