// What a child is born into beyond this process: namespaces, a guardian of its
// own, a cgroup. Made before the launch, given back when the child is gone. Only
// launches that need any of it have one.
import type { Joins } from "../native/launcher.ts";
import type { ExitReport } from "../process/report.ts";
import type { LaunchSpec } from "../process/spec.ts";
import type { LaunchGroup } from "./cgroup/groups.ts";
import type { Guardian } from "./guardian.ts";

/** Owns: a use of a guardian's fds, and what was made for this child alone. */
export class Ground {
  readonly #spec: LaunchSpec;
  #home: Guardian | undefined;
  #endGuardian: ((done: () => void) => void) | undefined;
  #group: LaunchGroup | undefined;
  /** The namespaces to enter. */
  joins: Joins | undefined;

  constructor(spec: LaunchSpec) {
    this.#spec = spec;
  }

  // ---- getting it

  /** A guardian for this child alone was begun; this ends it. */
  own(endGuardian: (done: () => void) => void): void {
    this.#endGuardian = endGuardian;
  }

  /** Takes namespaces; they stay open until {@link leave}. */
  enter(home: Guardian): void {
    const { user, network, pid } = this.#spec.isolation;
    const { joins } = home;
    if (joins === undefined) throw new Error("this guardian is not ready");
    home.retain();
    this.#home = home;
    this.joins = {
      user: user ? joins.user : -1,
      network: network ? joins.network : -1,
      pid: pid ? joins.pid : -1,
      pidId: pid ? joins.pidId : 0,
    };
  }

  /** Takes a cgroup. */
  join(group: LaunchGroup): void {
    this.#group = group;
  }

  get hasHome(): boolean {
    return this.#home !== undefined;
  }

  get hasGroup(): boolean {
    return this.#group !== undefined;
  }

  // ---- being born into it

  /** An fd of the cgroup to be born in, or -1. */
  get cgroup(): number {
    return this.#group?.fd ?? -1;
  }

  /** A pidfd of the init with which all that the child has started ends, or -1. */
  get init(): number {
    return this.#spec.isolation.home === "own" ? (this.#home?.pidfd ?? -1) : -1;
  }

  /** A socket that hangs up when that init dies, or -1. */
  get life(): number {
    return this.#spec.isolation.home === "own" ? (this.#home?.life ?? -1) : -1;
  }

  /** The child's program runs: fds that were needed only until then are closed. */
  born(): void {
    this.#group?.born();
  }

  // ---- its end

  /** No child can be born into a pid namespace whose init has died, and every child in it dies with that. */
  get lost(): boolean {
    return this.#home?.lost === true;
  }

  /** Whether we have ended the guardian ourselves. */
  get asked(): boolean {
    return this.#home?.asked === true;
  }

  /** SIGKILL to all that the child has started, where none of it can be missed. False where there is no such way. */
  kill(): boolean {
    if (this.#group !== undefined) this.#group.kill();
    else if (this.#spec.isolation.home === "own") this.#home?.kill();
    else return false;
    return true;
  }

  /** Whether more than the child itself has to be gone before its exit is reported. */
  get lingers(): boolean {
    return this.#endGuardian !== undefined || this.#group !== undefined;
  }

  /** The child was reaped: ends what it has left behind, and then says whether a limit of its group had ended it. */
  settle(report: ExitReport, killedByUs: boolean, settled: (report: ExitReport) => void): void {
    const group = this.#group;
    const end = this.#endGuardian;
    this.#group = undefined;
    this.#endGuardian = undefined;
    const next = (): void => {
      if (group === undefined) settled(report);
      else void group.settle(report, killedByUs).then(settled);
    };
    if (end === undefined) next();
    else end(next);
  }

  /** Gives back what is still held. The promise, if there is one, resolves once a group that nobody was born in is gone. */
  leave(): Promise<void> | undefined {
    const abandoned = this.#group?.abandon();
    this.#group = undefined;
    this.#home?.release();
    this.#home = undefined;
    this.joins = undefined;
    this.#endGuardian?.(() => {});
    this.#endGuardian = undefined;
    return abandoned;
  }
}
