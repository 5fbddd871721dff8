// The group of a pool: beneath a delegated one, with a group for each child.
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { PidpoolError } from "../../errors.ts";
import type { CgroupPlan, Controller } from "../../process/cgroup-limits.ts";
import { enableControllers } from "./controllers.ts";
import { findDelegation, type Delegation } from "./delegation.ts";
import { killGroup, removeIfEmpty } from "./emptying.ts";
import { readIfThere } from "./files.ts";
import { Cgroup, makeGroup } from "./group.ts";
import { DELEGATE, refusal, typed } from "./refusal.ts";
import { newPoolName, removeStale } from "./stale.ts";

/** Owns: its group, and the groups in it. */
export class CgroupRoot {
  /** The pool's group. Writing "1" to its cgroup.kill ends every child of every group in it. */
  readonly path: string;
  readonly #delegation: Delegation;
  readonly #enabled = new Set<Controller>();
  readonly #groups = new Set<Cgroup>();
  readonly #underWay = new Set<Promise<unknown>>();
  #made = 0;
  #disposed = false;

  private constructor(path: string, delegation: Delegation) {
    this.path = path;
    this.#delegation = delegation;
  }

  /**
   * Makes a pool's group beneath the given group, or beneath the one that is delegated to this process, and
   * removes what dead processes have left there.
   *
   * @param before Told the path before the group is there.
   * @throws IsolationError saying what is missing and what to do about it.
   */
  static async find(parent?: string, before?: (path: string) => Promise<void>): Promise<CgroupRoot> {
    return typed("no cgroup can be made", () => CgroupRoot.#find(parent, before));
  }

  static async #find(
    parent: string | undefined,
    before: ((path: string) => Promise<void>) | undefined,
  ): Promise<CgroupRoot> {
    const delegation = await findDelegation(parent);
    await removeStale(delegation.parent);
    const path = join(delegation.parent, await newPoolName());
    await before?.(path);
    await makeGroup(path);
    try {
      const type = (await readIfThere(join(path, "cgroup.type")))?.trim();
      if (type === "domain") return new CgroupRoot(path, delegation);
      throw refusal(`groups in ${delegation.parent} are ${type ?? "gone"}, and hold threads only`, DELEGATE);
    } catch (error) {
      await rmdir(path).catch(() => {});
      throw error;
    }
  }

  /** The group above the pool's. */
  get parent(): string {
    return this.#delegation.parent;
  }

  /**
   * A new group with the limits of the plan.
   *
   * @throws IsolationError naming the limit that this machine cannot set; ERR_CLOSED after {@link dispose}.
   */
  async createGroup(plan: CgroupPlan): Promise<Cgroup> {
    if (this.#disposed) throw new PidpoolError("ERR_CLOSED", "the pool's cgroup was removed");
    const creation = typed(`no cgroup can be made in ${this.path}`, () => this.#create(plan));
    this.#underWay.add(creation);
    try {
      return await creation;
    } finally {
      this.#underWay.delete(creation);
    }
  }

  async #create(plan: CgroupPlan): Promise<Cgroup> {
    const wanted = [...new Set(plan.settings.map(({ controller }) => controller))];
    const missing = wanted.filter((controller) => !this.#enabled.has(controller));
    if (missing.length > 0) {
      for (const dir of [this.parent, this.path]) await enableControllers(dir, missing, this.#delegation.hierarchy);
      for (const controller of missing) this.#enabled.add(controller);
    }
    const group = await Cgroup.create(join(this.path, `${++this.#made}`), plan.settings);
    this.#groups.add(group);
    return group;
  }

  /** Removes a group of this pool; see {@link Cgroup.remove}. One that is kept is no longer the pool's. */
  async removeGroup(group: Cgroup, survivors: "kill" | "keep" = "kill"): Promise<boolean> {
    const gone = await group.remove(survivors);
    this.#groups.delete(group);
    return gone;
  }

  /** SIGKILL to everything in all groups. */
  async kill(): Promise<void> {
    await typed(`the cgroup ${this.path} cannot be killed`, () => killGroup(this.path));
  }

  /**
   * Ends what lives in the pool's groups and removes them. Controllers stay enabled above: others may use them.
   *
   * @returns Whether everything is gone; not so where survivors were kept.
   * @throws IsolationError where processes do not die. It may be called again.
   */
  async dispose(): Promise<boolean> {
    this.#disposed = true;
    await Promise.allSettled(this.#underWay);
    const removals = await Promise.allSettled(Array.from(this.#groups, (group) => this.removeGroup(group)));
    const failure = removals.find((removal) => removal.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    return typed(`the cgroup ${this.path} cannot be removed`, () => removeIfEmpty(this.path));
  }
}
