// A guardian of something with a path, such as a cgroup: a process that lives
// until this one has ended, however it ends, and then removes it.
import type { PidpoolError } from "../errors.ts";
import { EAGAIN } from "../native/errno.ts";
import { close, socketPair } from "../native/syscalls.ts";
import { type Estate, heirSpec } from "../process/guardian-spec.ts";
import { SIGKILL } from "../process/signals.ts";
import { Child, type ChildEvents } from "./child.ts";
import { NO_ROOM, NO_SLOT } from "./supervisor.ts";

/** What an heir needs of its pool. */
export interface HeirHost {
  /** Starts a child of the pool's own. Returns 0, NO_ROOM, NO_SLOT or -errno. */
  start(child: Child): number;
  /** Hears that there is no heir any more. */
  error(error: PidpoolError): void;
}

/** Owns: a socket to the process. One that somebody kills is replaced. */
export class Heir implements ChildEvents {
  readonly #host: HeirHost;
  readonly #estate: Estate;
  readonly #failure: (errno: number) => PidpoolError;
  #path = "";
  #child: Child | undefined;
  #own = -1;
  #theirs = -1;
  #over = false;
  #ending = false;
  #begun: Promise<void> | undefined;
  #settle: ((error: PidpoolError | undefined) => void) | undefined;
  #afterwards: (() => void) | undefined;

  /** @param failure What to say where none can be started. */
  constructor(host: HeirHost, estate: Estate, failure: (errno: number) => PidpoolError) {
    this.#host = host;
    this.#estate = estate;
    this.#failure = failure;
  }

  /**
   * Resolves once a process guards the path. Only then is anything to be made there: this process may be killed at
   * any moment.
   *
   * @throws PidpoolError {@link failure}.
   */
  start(path: string): Promise<void> {
    this.#path = path;
    this.#begun = this.#start();
    return this.#begun;
  }

  async #start(): Promise<void> {
    const ends = new Int32Array(2);
    let result = socketPair(ends);
    if (result < 0) throw this.#failure(-result);
    [this.#own, this.#theirs] = [ends[0] ?? -1, ends[1] ?? -1];
    const child = new Child(heirSpec(this.#theirs, this.#estate, this.#path), this, true);
    this.#child = child;
    this.#over = false;
    const started = new Promise<PidpoolError | undefined>((resolve) => (this.#settle = resolve));
    try {
      result = this.#host.start(child);
    } catch (error) {
      this.#finish();
      throw error;
    }
    // A pool whose queue is full has room again soon, as a system that is exhausted.
    if (result < 0) this.failed("pipe", result === NO_ROOM || result === NO_SLOT ? EAGAIN : -result);
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
    this.#settle?.(this.#failure(errno));
  }

  cancelled(): void {
    this.failed("clone", 0);
  }

  exited(): void {
    this.#finish();
    this.#settle?.(undefined);
    if (!this.#ending) this.start(this.#path).catch((error: PidpoolError) => this.#host.error(error));
  }

  /** Ends the process; what it guards is in other hands. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#begun?.catch(() => {});
    const child = this.#child;
    if (this.#over || child === undefined) return;
    const gone = new Promise<void>((resolve) => (this.#afterwards = resolve));
    child.setRef(true);
    const signaled = child.supervisor?.signal(child, SIGKILL, false) ?? 0;
    // This process has become another user, who may not: it ends by itself, and removes what we may not either.
    if (signaled < 0) this.#closeOwn();
    await gone;
  }

  #finish(): void {
    this.#over = true;
    this.#closeOwn();
    if (this.#theirs >= 0) close(this.#theirs);
    this.#theirs = -1;
    this.#afterwards?.();
  }

  #closeOwn(): void {
    if (this.#own >= 0) close(this.#own);
    this.#own = -1;
  }
}
