// The handle of a live child.
import type { Duplex, Readable, Writable } from "node:stream";
import { EventEmitter } from "eventemitter3";
import { ExitError, InvalidOptionError } from "../errors.ts";
import type { Notification } from "./notification.ts";
import type { Signal } from "./options.ts";
import { exitMessage } from "./explain.ts";
import type { ExitReport } from "./report.ts";
import type { RunResult } from "./result.ts";
import { signalNumber } from "./signals.ts";
import { switches } from "./validate.ts";

/** Whom a signal is for. */
export type KillScope = "process" | "group" | "tree";

/** What a Process can do; the pool implements it. */
export interface ProcessControl {
  /** Signals the child, or all that goes with it; false where it is gone. */
  kill(signal: number, scope: KillScope): boolean;
  /** SIGKILL to a child that an earlier signal did not end. */
  escalate(): void;
  /** Whether the child keeps Node alive. */
  setRef(ref: boolean): void;
}

/** Options of {@link Process.kill}. */
export interface KillOptions {
  readonly group?: boolean | undefined;
  readonly tree?: boolean | undefined;
}

const ALONE = { group: false, tree: false };

/** A stream to or from the child, at its fd number; null where there is none. */
export type StdioStream = Readable | Writable | Duplex | null;

/** Events of a {@link Process}. */
export interface ProcessEvents {
  /** The child has ended and was reaped. Piped streams may still hold output. */
  exit: (report: ExitReport) => void;
  /** The child has said something of itself: see the option `notify`. */
  notify: (notification: Notification) => void;
}

/** Of a child that speaks of itself. */
interface Readiness {
  isReady: boolean;
  promise: Promise<void> | undefined;
  resolve: (() => void) | undefined;
}

/**
 * A child whose program runs: exec has succeeded.
 *
 * Keeps Node alive until it exits or is {@link unref}ed. `await using` ends it: SIGTERM, then SIGKILL after the
 * `killAfter` of its options.
 */
export class Process<
  Stdin = Writable | null,
  Stdout = Readable | null,
  Stderr = Readable | null,
> extends EventEmitter<ProcessEvents> {
  readonly pid: number;
  readonly file: string;
  readonly args: readonly string[];
  /** The child's stdin, where stdio has `"pipe"` for it. */
  readonly stdin: Stdin;
  readonly stdout: Stdout;
  readonly stderr: Stderr;
  /** All piped streams by fd number; those above 2 are duplex. */
  readonly stdio: readonly StdioStream[];
  readonly #control: ProcessControl;
  readonly #killAfter: number;
  readonly #speaks: boolean;
  #result: RunResult | undefined;
  // Promises are made when they are asked for: one who keeps thousands of children may well listen to "exit".
  #resultPromise: Promise<RunResult> | undefined;
  #exitedPromise: Promise<ExitReport> | undefined;
  #resolve: ((result: RunResult) => void) | undefined;
  #readiness: Readiness | undefined;

  /** Made by {@link ProcessPool.spawn}. */
  constructor(
    pid: number,
    spec: {
      readonly file: string;
      readonly args: readonly string[];
      readonly killAfter: number;
      readonly notify: unknown;
    },
    stdio: readonly StdioStream[],
    control: ProcessControl,
  ) {
    super();
    this.pid = pid;
    this.file = spec.file;
    this.args = spec.args;
    this.stdio = stdio;
    this.stdin = (stdio[0] ?? null) as Stdin;
    this.stdout = (stdio[1] ?? null) as Stdout;
    this.stderr = (stdio[2] ?? null) as Stderr;
    this.#control = control;
    this.#killAfter = spec.killAfter;
    this.#speaks = spec.notify !== undefined;
  }

  /** The exit report, once there is one. */
  get exit(): ExitReport | undefined {
    return this.#result?.exit;
  }

  /** Resolves once the child was reaped; never rejects. */
  get exited(): Promise<ExitReport> {
    this.#exitedPromise ??= this.result.then(({ exit }) => exit);
    return this.#exitedPromise;
  }

  /** As `exited`, with captured output; never rejects. */
  get result(): Promise<RunResult> {
    this.#resultPromise ??=
      this.#result === undefined ? new Promise((resolve) => (this.#resolve = resolve)) : Promise.resolve(this.#result);
    return this.#resultPromise;
  }

  /**
   * Resolves once the child has said that it is ready: see the option `notify`.
   *
   * @throws ExitError where it ends before that; InvalidOptionError without that option.
   */
  get ready(): Promise<void> {
    const readiness = (this.#readiness ??= { isReady: false, promise: undefined, resolve: undefined });
    readiness.promise ??= this.#whenReady(readiness);
    return readiness.promise;
  }

  async #whenReady(readiness: Readiness): Promise<void> {
    if (readiness.isReady) return;
    if (!this.#speaks)
      throw new InvalidOptionError("notify", false, "a child that cannot speak is never known to be ready");
    const ready = new Promise<undefined>((resolve) => (readiness.resolve = () => resolve(undefined)));
    const result = await Promise.race([ready, this.result]);
    if (result === undefined) return;
    const { exit } = result;
    throw new ExitError(`it was never ready: ${exitMessage(this.file, exit, exit.stderrTail ?? "")}`, result);
  }

  /** For the pool: the child has said something. */
  heard(notification: Notification): void {
    if (notification.ready) {
      const readiness = (this.#readiness ??= { isReady: false, promise: undefined, resolve: undefined });
      readiness.isReady = true;
      readiness.resolve?.();
    }
    this.emit("notify", notification);
  }

  /** For the pool: announces the end. */
  settle(result: RunResult): void {
    this.#result = result;
    this.#resolve?.(result);
    this.emit("exit", result.exit);
  }

  /**
   * Sends a signal through the pidfd: to this child, or to nobody.
   *
   * @param signal Name or number; 0 only asks whether the child is there. Default: SIGTERM.
   * @param options `group`: signal the child's whole process group; its `session` option must be set. `tree`:
   * signal all processes that it has started, too. With SIGKILL, a pid namespace or a cgroup of the child's own
   * misses none; else they are looked for in /proc: its descendants, and with `session` those in its group and
   * session, so that one may slip through that has left them all or forks at that moment.
   * @returns false when the child is already gone.
   * @throws InvalidOptionError for an unknown signal, wrong options, or `group` without a group of its own.
   * @throws PidpoolError ERR_UNSUPPORTED when the kernel refuses (EPERM: a set-id child).
   */
  kill(signal: Signal = "SIGTERM", options?: KillOptions): boolean {
    const { group, tree } = options === undefined ? ALONE : switches("options", options, ["group", "tree"]);
    const scope = tree ? "tree" : group ? "group" : "process";
    return this.#control.kill(signalNumber("signal", signal, true), scope);
  }

  /** Lets Node end while this child runs. */
  unref(): this {
    this.#control.setRef(false);
    return this;
  }

  /** Undoes {@link unref}. */
  ref(): this {
    this.#control.setRef(true);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.kill("SIGTERM")) return;
    const timer = this.#killAfter < 0 ? undefined : setTimeout(() => this.#control.escalate(), this.#killAfter);
    await this.exited;
    clearTimeout(timer);
  }
}
