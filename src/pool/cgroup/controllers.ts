// Passing controllers on from a group to its children.
import { join } from "node:path";
import type { Controller } from "../../process/cgroup-limits.ts";
import { isRootGroup } from "./delegation.ts";
import { errnoOf, readIfThere, words, writeValue } from "./files.ts";
import type { Hierarchy } from "../../native/cgroup-mounts.ts";
import { DELEGATE, refusal } from "./refusal.ts";

/**
 * Makes the children of a group have these controllers.
 *
 * @throws IsolationError naming the controller that cannot be had, and why.
 */
export async function enableControllers(
  dir: string,
  wanted: readonly Controller[],
  { legacy }: Hierarchy,
): Promise<void> {
  const control = join(dir, "cgroup.subtree_control");
  const enabled = words((await readIfThere(control)) ?? "");
  const missing = wanted.filter((controller) => !enabled.includes(controller));
  if (missing.length === 0) return;
  const available = words((await readIfThere(join(dir, "cgroup.controllers"))) ?? "");
  const absent = missing.find((controller) => !available.includes(controller));
  if (absent !== undefined) throw lacking(dir, absent, available, legacy.get(absent));
  const root = await isRootGroup(dir);
  // Not left to the kernel: it lets "threaded" controllers (cpu, pids) through even here, and then the group and
  // all children of it are threaded, which other programs do not expect, and cannot be born into.
  if (!root && (await readIfThere(join(dir, "cgroup.procs"))) !== "") throw populated(dir, missing);
  const change = (sign: string): Promise<void> => writeValue(control, missing.map((name) => sign + name).join(" "));
  try {
    await change("+");
  } catch (error) {
    if (errnoOf(error) === "EBUSY") throw populated(dir, missing, error);
    throw refusal(`${missing.join(", ")} cannot be enabled in ${control}`, DELEGATE, error);
  }
  // Somebody may have entered in between.
  if (!root && (await readIfThere(join(dir, "cgroup.type")))?.trim() !== "domain") {
    await change("-");
    throw populated(dir, missing);
  }
}

function lacking(dir: string, controller: string, available: readonly string[], legacy: string | undefined): Error {
  const has = available.length === 0 ? "none" : available.join(", ");
  const what = `the cgroup ${dir} lacks the controller ${controller} (it has ${has})`;
  if (legacy === undefined) return refusal(what, `enable it in the groups above, with Delegate=yes: ${DELEGATE}`);
  return refusal(
    `${what}: cgroup v1 holds it at ${legacy}`,
    "boot with systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=all",
  );
}

function populated(dir: string, missing: readonly string[], cause?: unknown): Error {
  return refusal(
    `the cgroup ${dir} cannot pass ${missing.join(", ")} on, because processes live in it; but for the root, a group ` +
      "may have either processes or children with controllers",
    DELEGATE,
    cause,
  );
}
