// The cgroups of one pool: a group for each child that asks for one, made before
// its launch and removed after its exit, all off the pool's thread.
import { IsolationError, type PidpoolError } from "../../errors.ts";
import { errnoName } from "../../native/errno.ts";
import type { CgroupPlan } from "../../process/cgroup-limits.ts";
import { cgroupReason, groupLimit, type CgroupUsage } from "../../process/cgroup-reason.ts";
import type { ExitReport } from "../../process/report.ts";
import { Heir, type HeirHost } from "../heir.ts";
import type { Cgroup } from "./group.ts";
import { CgroupRoot } from "./root.ts";

/** Where one kind of groups is, and who removes them if this process cannot. */
interface Home {
  readonly root: CgroupRoot;
  readonly guardian: Heir | undefined;
}

/** The group of a launch under way. */
export class LaunchGroup {
  readonly #root: CgroupRoot;
  readonly #group: Cgroup;
  readonly #plan: CgroupPlan;
  readonly #onError: (error: PidpoolError) => void;

  constructor(root: CgroupRoot, group: Cgroup, plan: CgroupPlan, onError: (error: PidpoolError) => void) {
    this.#root = root;
    this.#group = group;
    this.#plan = plan;
    this.#onError = onError;
  }

  /** To be born in. */
  get fd(): number {
    return this.#group.fd;
  }

  /** The child is in it. */
  born(): void {
    void this.#group.born();
  }

  /** SIGKILL to all that is in it. */
  kill(): void {
    this.#group.kill().catch(this.#onError);
  }

  /** After a launch that came to nothing. */
  async abandon(): Promise<void> {
    await this.#root.removeGroup(this.#group).catch(this.#onError);
  }

  /** After the exit: ends what the child has left behind, unless it may stay, and says what the group counted and whether a limit had ended it. */
  async settle(report: ExitReport, killedByUs: boolean): Promise<ExitReport> {
    const usage = await this.#group.usage().catch((): CgroupUsage | undefined => undefined);
    const survivors = this.#plan.survivors;
    await this.#root.removeGroup(this.#group, survivors).catch(this.#onError);
    if (usage === undefined) return report;
    const reason = cgroupReason({ report, killedByUs }, this.#plan, usage);
    if (reason === undefined) return { ...report, cgroup: usage };
    return { ...report, cgroup: usage, reason, limit: groupLimit(reason, this.#plan) };
  }
}

/** Owns: a pool's group for each place and kind, with what is in it. */
export class Groups {
  readonly #host: HeirHost;
  readonly #homes = new Map<string, Promise<Home>>();

  constructor(host: HeirHost) {
    this.#host = host;
  }

  /**
   * A new group for one launch.
   *
   * @throws IsolationError where this machine cannot make it.
   */
  async make(plan: CgroupPlan): Promise<LaunchGroup> {
    const { root } = await this.#home(plan);
    // A listener that throws must not keep the launch from its answer.
    const onError = (error: PidpoolError): void => queueMicrotask(() => this.#host.error(error));
    return new LaunchGroup(root, await root.createGroup(plan), plan, onError);
  }

  #home(plan: CgroupPlan): Promise<Home> {
    const key = `${plan.survivors} ${plan.parent ?? ""}`;
    let home = this.#homes.get(key);
    if (home === undefined) {
      home = this.#begin(plan);
      this.#homes.set(key, home);
      // What is missing may be there at the next try.
      home.catch(() => this.#homes.delete(key));
    }
    return home;
  }

  async #begin({ parent, survivors }: CgroupPlan): Promise<Home> {
    if (survivors === "keep") return { root: await CgroupRoot.find(parent), guardian: undefined };
    const guardian = new Heir(this.#host, "group", noGuardian);
    try {
      // First the guardian: this process may be killed at any moment.
      const root = await CgroupRoot.find(parent, (path) => guardian.start(path));
      return { root, guardian };
    } catch (error) {
      await guardian.end();
      throw error;
    }
  }

  /** Ends what lives in the groups and removes them. */
  async end(): Promise<void> {
    const homes = await Promise.allSettled(this.#homes.values());
    this.#homes.clear();
    for (const home of homes) {
      if (home.status === "rejected") continue;
      const { root, guardian } = home.value;
      await root.dispose().catch((error: PidpoolError) => this.#host.error(error));
      await guardian?.end();
    }
  }
}

function noGuardian(errno: number): IsolationError {
  const name = errnoName(errno);
  return new IsolationError("cgroup", `no guardian of the pool's cgroup can be started: ${name}`, {
    errno: name,
    remedy: "make room for one more process",
  });
}
