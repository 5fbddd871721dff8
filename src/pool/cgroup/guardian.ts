// The guardian of a pool's cgroup: a process that lives until this one has ended,
// and then kills what is in the group, and removes it.
import { IsolationError, type PidpoolError } from "../../errors.ts";
import { EAGAIN, errnoName } from "../../native/errno.ts";
import { close, socketPair } from "../../native/syscalls.ts";
import { groupGuardianSpec } from "../../process/guardian-spec.ts";
import { SIGKILL } from "../../process/signals.ts";
import { Child, type ChildEvents } from "../child.ts";
import { NO_ROOM } from "../supervisor.ts";

/** Owns: a socket to the process. One that somebody kills is replaced. */
export class GroupGuardian implements ChildEvents {
  readonly #starter: (child: Child) => number;
  readonly #onError: (error: PidpoolError) => void;
  #path = "";
  #child: Child | undefined;
  #own = -1;
  #theirs = -1;
  #over = false;
  #ending = false;
  #begun: Promise<void> | undefined;
  #settle: ((error: IsolationError | undefined) => void) | undefined;
  #afterwards: (() => void) | undefined;

  /**
   * @param starter Starts a child of the pool's own. Returns 0, NO_ROOM or -errno.
   * @param onError Hears that there is no guardian any more.
   */
  constructor(starter: (child: Child) => number, onError: (error: PidpoolError) => void) {
    this.#starter = starter;
    this.#onError = onError;
  }

  /**
   * Resolves once a process guards the path, at which the group is to be made.
   *
   * @throws IsolationError
   */
  start(path: string): Promise<void> {
    this.#path = path;
    this.#begun = this.#start();
    return this.#begun;
  }

  async #start(): Promise<void> {
    const ends = new Int32Array(2);
    let result = socketPair(ends);
    if (result < 0) throw failure(-result);
    [this.#own, this.#theirs] = [ends[0] ?? -1, ends[1] ?? -1];
    const child = new Child(groupGuardianSpec(this.#theirs, this.#path), this, true);
    this.#child = child;
    this.#over = false;
    const started = new Promise<IsolationError | undefined>((resolve) => (this.#settle = resolve));
    try {
      result = this.#starter(child);
    } catch (error) {
      this.#finish();
      throw error;
    }
    // A pool whose queue is full has room again soon, as a system that is exhausted.
    if (result < 0) this.failed("pipe", result === NO_ROOM ? EAGAIN : -result);
    const error = await started;
    child.setRef(false);
    if (error !== undefined) throw error;
  }

  launched(): void {
    if (this.#theirs >= 0) close(this.#theirs);
    this.#theirs = -1;
    this.#settle?.(undefined);
  }

  failed(_stage: string, errno: number): void {
    this.#finish();
    this.#settle?.(failure(errno));
  }

  cancelled(): void {
    this.failed("clone", 0);
  }

  exited(): void {
    this.#finish();
    this.#settle?.(undefined);
    if (!this.#ending) this.start(this.#path).catch(this.#onError);
  }

  /** Ends the process; the group is in other hands. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#begun?.catch(() => {});
    const child = this.#child;
    if (this.#over || child === undefined) return;
    const gone = new Promise<void>((resolve) => (this.#afterwards = resolve));
    child.setRef(true);
    child.supervisor?.signal(child, SIGKILL, false);
    await gone;
  }

  #finish(): void {
    this.#over = true;
    for (const fd of [this.#own, this.#theirs]) if (fd >= 0) close(fd);
    this.#own = -1;
    this.#theirs = -1;
    this.#afterwards?.();
  }
}

function failure(errno: number): IsolationError {
  const name = errnoName(errno);
  return new IsolationError("cgroup", `no guardian of the pool's cgroup can be started: ${name}`, {
    errno: name,
    remedy: "make room for one more process",
  });
}
