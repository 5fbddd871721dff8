// A cgroup with few processes, of whichever version has the pids controller.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A group that was made, or why there is none. */
export type PidsGroup = { readonly path: string; remove(): void } | { readonly reason: string };

function parent(): string | undefined {
  const legacy = "/sys/fs/cgroup/pids";
  if (existsSync(join(legacy, "cgroup.procs"))) return legacy;
  try {
    const controllers = readFileSync("/sys/fs/cgroup/cgroup.subtree_control", "latin1");
    return controllers.split(/\s+/).includes("pids") ? "/sys/fs/cgroup" : undefined;
  } catch {
    return undefined;
  }
}

export function makePidsGroup(limit: number): PidsGroup {
  const above = parent();
  if (above === undefined) return { reason: "needs the pids controller of cgroups" };
  const path = join(above, `pidpool-chaos-${process.pid}`);
  try {
    mkdirSync(path);
    writeFileSync(join(path, "pids.max"), String(limit));
  } catch (error) {
    return { reason: `no cgroup can be made: ${String(error)}` };
  }
  return { path, remove: () => rmdirSync(path) };
}
