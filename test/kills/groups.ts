// Cgroups for hosts that are to be killed: one that they live in, and one
// beside it for their pools.
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { IsolationError } from "pidpool";
import { CgroupRoot } from "#pidpool/pool/cgroup/root.js";
import { killGroup, removeWhenEmpty } from "#pidpool/pool/cgroup/emptying.js";

/** The groups of one lane. */
export interface LaneGroups {
  readonly main: string;
  readonly pools: string;
  /** Whether memory and pids can be limited in it. */
  readonly limited: boolean;
}

/** Where lanes have theirs, or why there is none. */
export type GroupsRoot = { readonly root: CgroupRoot } | { readonly reason: string };

const LIMITS = ["memory", "pids"] as const;

/** The library finds the place, as for any pool. */
export async function findRoot(): Promise<GroupsRoot> {
  try {
    const root = await CgroupRoot.find();
    // Before Linux 5.14 a guardian cannot kill a group.
    if (existsSync(join(root.path, "cgroup.kill"))) return { root };
    await root.dispose();
    return { reason: "needs cgroup.kill, of Linux 5.14" };
  } catch (error) {
    if (error instanceof IsolationError) return { reason: error.message };
    throw error;
  }
}

/** Makes a lane's groups; with a user, they are that user's. */
export async function makeLane(root: CgroupRoot, name: string, user: number | undefined): Promise<LaneGroups> {
  const lane = join(root.path, name);
  mkdirSync(lane);
  const limited = await limitsIn(root, lane);
  const [main, pools] = [join(lane, "main"), join(lane, "pools")];
  for (const path of [main, pools]) mkdirSync(path);
  if (user !== undefined) {
    for (const path of [lane, main, pools]) {
      for (const file of ["", "cgroup.procs", "cgroup.subtree_control"]) chownSync(join(path, file), user, user);
    }
  }
  return { main, pools, limited };
}

/** Passes the controllers on to a lane, where there are any. */
async function limitsIn(root: CgroupRoot, lane: string): Promise<boolean> {
  const above = readFileSync(join(root.parent, "cgroup.controllers"), "latin1").split(/\s+/);
  if (!LIMITS.every((controller) => above.includes(controller))) return false;
  for (const path of [root.parent, root.path, lane]) {
    writeFileSync(join(path, "cgroup.subtree_control"), LIMITS.map((name) => `+${name}`).join(" "));
  }
  return true;
}

/** After all of its hosts have ended, and were judged: ends what they have left. */
export async function removeLane({ main }: LaneGroups): Promise<void> {
  const lane = join(main, "..");
  await killGroup(lane);
  await removeWhenEmpty(lane);
}
