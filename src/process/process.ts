// The handle of a live child.
import type { Duplex, Readable, Writable } from "node:stream";
import { EventEmitter } from "eventemitter3";
import type { Signal } from "./options.ts";
import type { ExitReport } from "./report.ts";
import type { RunResult } from "./result.ts";
import { SIGKILL, signalNumber } from "./signals.ts";

/** What a Process can do; the pool implements it. */
export interface ProcessControl {
  /** Signals the child; false where it is gone. */
  kill(signal: number, group: boolean): boolean;
  /** Whether the child keeps Node alive. */
  setRef(ref: boolean): void;
}

/** A stream to or from the child, at its fd number; null where there is none. */
export type StdioStream = Readable | Writable | Duplex | null;

/** Events of a {@link Process}. */
export interface ProcessEvents {
  /** The child has ended and was reaped. Piped streams may still hold output. */
  exit: (report: ExitReport) => void;
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
  /** Resolves once the child was reaped; never rejects. */
  readonly exited: Promise<ExitReport>;
  /** As `exited`, with captured output; never rejects. */
  readonly result: Promise<RunResult>;
  readonly #control: ProcessControl;
  readonly #killAfter: number;
  #report: ExitReport | undefined;

  /** Made by {@link ProcessPool.spawn}. */
  constructor(
    child: { pid: number; file: string; args: readonly string[]; killAfter: number },
    stdio: readonly StdioStream[],
    result: Promise<RunResult>,
    control: ProcessControl,
  ) {
    super();
    this.pid = child.pid;
    this.file = child.file;
    this.args = child.args;
    this.stdio = stdio;
    this.stdin = (stdio[0] ?? null) as Stdin;
    this.stdout = (stdio[1] ?? null) as Stdout;
    this.stderr = (stdio[2] ?? null) as Stderr;
    this.result = result;
    this.exited = result.then(({ exit }) => exit);
    this.#control = control;
    this.#killAfter = child.killAfter;
  }

  /** The exit report, once there is one. */
  get exit(): ExitReport | undefined {
    return this.#report;
  }

  /** For the pool: announces the end. */
  settle(report: ExitReport): void {
    this.#report = report;
    this.emit("exit", report);
  }

  /**
   * Sends a signal through the pidfd: to this child, or to nobody.
   *
   * @param signal Name or number; 0 only asks whether the child is there. Default: SIGTERM.
   * @param options `group`: signal the child's whole process group; its `session` option must be set.
   * @returns false when the child is already gone.
   * @throws InvalidOptionError for an unknown signal, or `group` without a group of its own.
   * @throws PidpoolError ERR_UNSUPPORTED when the kernel refuses (EPERM: a set-id child).
   */
  kill(signal: Signal = "SIGTERM", options: { readonly group?: boolean } = {}): boolean {
    return this.#control.kill(signalNumber("signal", signal, true), options.group === true);
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
    const timer =
      this.#killAfter < 0 ? undefined : setTimeout(() => this.#control.kill(SIGKILL, false), this.#killAfter);
    await this.exited;
    clearTimeout(timer);
  }
}
