// cgroup v2: whether groups can be made, killed, and given controllers.
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { findCgroups, type CgroupTree } from "./cgroup-tree.ts";
import { limited, no, untried, yes, type Finding, type Findings } from "./report.ts";
import { textOf, wordsOf } from "./text-files.ts";

type Controller = "memory" | "pids" | "cpu" | "io";
type ControllerFeature = `cgroup-${Controller}`;
type CgroupFeature = "cgroup-v2" | "cgroup-create" | "cgroup-kill" | ControllerFeature;

const DELEGATE =
  "run it in a delegated group: Delegate=yes in its unit, or systemd-run --user --scope -p Delegate=yes …";
const UNIFIED = "mount -t cgroup2 none /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1";
const CONTAINER = "let the container write its own group: docker run --cgroupns=private with /sys/fs/cgroup mounted rw";

let made = 0;

/** Makes a group beneath the own one, and removes it. */
export function tryCgroups(): Findings<CgroupFeature> {
  const tree = findCgroups();
  const { directory } = tree;
  const hierarchy = hierarchyOf(tree);
  if (directory === undefined) {
    const none = untried("there is no own group of cgroup v2");
    return {
      "cgroup-v2": hierarchy,
      "cgroup-create": none,
      "cgroup-kill": none,
      ...eachController(() => none),
    };
  }
  const group = join(directory, `pidpool-doctor-${process.pid}-${threadId}-${++made}`);
  try {
    mkdirSync(group);
  } catch (error) {
    return {
      "cgroup-v2": hierarchy,
      "cgroup-create": refusal(directory, error),
      "cgroup-kill": untried("no group can be made"),
      ...eachController((name) => controller(name, tree, directory, undefined)),
    };
  }
  try {
    return {
      "cgroup-v2": hierarchy,
      "cgroup-create": yes(`groups can be made beneath ${directory}`),
      "cgroup-kill": kill(group),
      ...eachController((name) => controller(name, tree, directory, group)),
    };
  } finally {
    try {
      rmdirSync(group);
    } catch {
      // Whoever has put something into it meanwhile keeps it.
    }
  }
}

function hierarchyOf({ mount, name, directory }: CgroupTree): Finding {
  if (directory !== undefined) return yes(`mounted at ${mount}, own group ${name}`);
  if (mount === undefined) return no("not mounted here", UNIFIED);
  return no(`mounted at ${mount}, which does not show the own group ${name}`, CONTAINER);
}

function refusal(directory: string, error: unknown): Finding {
  const { code } = error as NodeJS.ErrnoException;
  const detail = `making a group beneath ${directory} failed with ${code}`;
  return no(detail, code === "EROFS" ? CONTAINER : DELEGATE);
}

/** Kills all in a group, which is nobody. */
function kill(group: string): Finding {
  try {
    writeFileSync(join(group, "cgroup.kill"), "1", { flag: "r+" });
    return yes("one write kills all of a group");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return no(`writing cgroup.kill failed with ${code}`, "use Linux 5.14 or newer");
  }
}

function controller(name: Controller, { old }: CgroupTree, own: string, group: string | undefined): Finding {
  if (group !== undefined && wordsOf(join(group, "cgroup.controllers")).includes(name)) {
    return yes("new groups have it");
  }
  if (wordsOf(join(own, "cgroup.controllers")).includes(name)) {
    if (group === undefined) return limited("there, but no group can be made", DELEGATE);
    // The root group may hold processes and pass controllers on all the same.
    const root = textOf(join(own, "cgroup.events")) === undefined;
    return limited(
      root
        ? `there, but not passed on by ${own}`
        : `there, but ${own} cannot pass it on while processes are in that group`,
      root ? `echo +${name} > ${join(own, "cgroup.subtree_control")}` : DELEGATE,
    );
  }
  // Version 1 has another name for it.
  if (old.includes(name === "io" ? "blkio" : name)) {
    return no("cgroup v1 holds it", "boot with systemd.unified_cgroup_hierarchy=1, or cgroup_no_v1=all");
  }
  return no(`not passed on to ${own}`, DELEGATE);
}

function eachController(find: (name: Controller) => Finding): Findings<ControllerFeature> {
  return {
    "cgroup-memory": find("memory"),
    "cgroup-pids": find("pids"),
    "cgroup-cpu": find("cpu"),
    "cgroup-io": find("io"),
  };
}
