// Finding the group beneath which this process may make groups.
import { access, constants, readFile, realpath, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf, readIfThere } from "./files.ts";
import {
  directoryOf,
  isInsideUnit,
  parseMountinfo,
  parseOwnCgroup,
  type Hierarchy,
} from "../../native/cgroup-mounts.ts";
import { DELEGATE, refusal } from "./refusal.ts";

/** Where groups may be made. */
export interface Delegation {
  readonly parent: string;
  readonly hierarchy: Hierarchy;
}

const CGROUP2_SUPER_MAGIC = 0x63677270;

/**
 * The given group, or the one that was delegated to this process.
 *
 * @throws IsolationError
 */
export async function findDelegation(given: string | undefined): Promise<Delegation> {
  const hierarchy = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
  const group = parseOwnCgroup((await readIfThere("/proc/self/cgroup")) ?? "");
  const own = group === undefined ? undefined : directoryOf(group, hierarchy.mounts);
  const parent = given === undefined ? await found(hierarchy, group, own) : await checked(given);
  await requireWritable(parent, own);
  return { parent, hierarchy };
}

/** Whether this is the root of all groups. It may hold processes and pass controllers on. */
export async function isRootGroup(dir: string): Promise<boolean> {
  return (await readIfThere(join(dir, "cgroup.events"))) === undefined;
}

async function checked(given: string): Promise<string> {
  let type: number;
  try {
    ({ type } = await statfs(given));
  } catch (error) {
    throw refusal(`there is no cgroup ${given}`, "name a directory of cgroup v2 that exists", error);
  }
  if (type === CGROUP2_SUPER_MAGIC) return realpath(given);
  throw refusal(`${given} is no directory of cgroup v2`, "cgroup v1 cannot do what is asked");
}

async function found({ mounts }: Hierarchy, group: string | undefined, own: string | undefined): Promise<string> {
  if (mounts.length === 0) {
    throw refusal("cgroup v2 is not mounted here", "boot with systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2");
  }
  if (group === undefined || own === undefined) {
    const which = group === undefined ? "" : ` ${group}`;
    throw refusal(`this process's cgroup${which} is not visible here`, "name one by the option cgroup");
  }
  if (await isRootGroup(own)) return own;
  const above = dirname(own);
  // Whoever may write to a unit's group, root above all, may well write to systemd's own groups too, and must not.
  const unused = async (): Promise<boolean> =>
    (await readIfThere(join(above, "cgroup.procs")).catch(() => undefined)) === "";
  if (isInsideUnit(group) && (await unused())) return above;
  return own;
}

/** A child is born into a group by the rules of moving there: the nearest group above both must be ours to write. */
async function requireWritable(parent: string, own: string | undefined): Promise<void> {
  const needed = [parent, join(parent, "cgroup.procs")];
  const shared = own === undefined ? undefined : commonDirectory(parent, own);
  if (shared !== undefined && shared !== parent) needed.push(join(shared, "cgroup.procs"));
  for (const file of needed) {
    try {
      await access(file, constants.W_OK);
    } catch (error) {
      // A mount other than the one that our own group was found in.
      if (errnoOf(error) === "ENOENT" && !file.startsWith(parent)) continue;
      const why = file.startsWith(parent) ? "" : `, the nearest group above both ${own} and it`;
      throw refusal(
        `this user may not make children in the cgroup ${parent}: ${file} is not writable${why}`,
        DELEGATE,
        error,
      );
    }
  }
}

function commonDirectory(a: string, b: string): string {
  const [left, right] = [a.split("/"), b.split("/")];
  const differs = left.findIndex((name, i) => name !== right[i]);
  return differs < 0 ? a : left.slice(0, differs).join("/") || "/";
}
