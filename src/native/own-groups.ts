// The cgroups that this process is in, from its own up, for one controller of
// whichever version has it; and which of them is full.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { directoryOf, parseMountinfo, parseOwnCgroup } from "./cgroup-mounts.ts";
import { contentOf, numberOf } from "./sysctl.ts";

/** Controllers that limit how much there is of something. */
export type Limiting = "pids" | "memory";

/** The files of a controller, in both versions of cgroups. */
const FILES = {
  pids: { max: "pids.max", now: "pids.current", legacyMax: "pids.max", legacyNow: "pids.current" },
  memory: {
    max: "memory.max",
    now: "memory.current",
    legacyMax: "memory.limit_in_bytes",
    legacyNow: "memory.usage_in_bytes",
  },
} as const;

/** A limit, and how much of it is in use. */
export interface GroupLimit {
  /** The file that holds it. */
  readonly file: string;
  readonly limit: number;
  readonly used: number;
}

/** The limit of a group above whose `share` it is, the nearest one first; undefined for none. */
export function fullGroup(controller: Limiting, share: number): GroupLimit | undefined {
  return limitsAbove(controller).find(({ limit, used }) => used >= limit * share);
}

function limitsAbove(controller: Limiting): GroupLimit[] {
  const found = ownDirectory(controller);
  if (found === undefined) return [];
  const { directory, top, legacy } = found;
  const files = FILES[controller];
  const limits: GroupLimit[] = [];
  for (let at = directory; at.startsWith(top); at = dirname(at)) {
    const file = join(at, legacy ? files.legacyMax : files.max);
    const limit = numberOf(file);
    const used = numberOf(join(at, legacy ? files.legacyNow : files.now));
    if (limit !== undefined && used !== undefined) limits.push({ file, limit, used });
    if (at === top) break;
  }
  return limits;
}

/** Where this process's group is, beneath which mount. */
function ownDirectory(controller: Limiting): { directory: string; top: string; legacy: boolean } | undefined {
  const groups = contentOf("/proc/self/cgroup") ?? "";
  const { mounts, legacy } = parseMountinfo(contentOf("/proc/self/mountinfo") ?? "");
  const point = legacy.get(controller);
  if (point !== undefined) {
    const own = groups.split("\n").find((line) => line.split(":")[1]?.split(",").includes(controller) === true);
    const directory = join(point, own?.split(":").slice(2).join(":") ?? "");
    // A container's mount shows its own group as the top.
    return { directory: existsSync(directory) ? directory : point, top: point, legacy: true };
  }
  const own = parseOwnCgroup(groups);
  const directory = own === undefined ? undefined : directoryOf(own, mounts);
  const top = mounts.find((mount) => directory?.startsWith(mount.point) === true)?.point;
  return directory === undefined || top === undefined ? undefined : { directory, top, legacy: false };
}
