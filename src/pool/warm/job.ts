// One job of a warm command: waits for a spare, has one, is answered. It
// settles its promise exactly once.
import { performance } from "node:perf_hooks";
import { finished } from "node:stream";
import { ExitError } from "../../errors.ts";
import { endedAgo, type ExitReport } from "../../process/report.ts";
import type { RunResult } from "../../process/result.ts";
import type { InputSource, LaunchSpec } from "../../process/spec.ts";
import { Alarm } from "../alarm.ts";
import { onAbort } from "../abort.ts";
import type { Ticket } from "../fifo.ts";
import type { Answer } from "../launch.ts";
import { abortError, exitErrorMessage, inputError } from "../launch-errors.ts";
import type { Spare } from "./spare.ts";

/** In whatever state. */
export class Job {
  /** Place in the queue, -1 for none. */
  ticket: Ticket = -1;
  readonly #spec: LaunchSpec;
  readonly #input: InputSource;
  readonly #answer: Answer<RunResult>;
  readonly #leave: (job: Job) => void;
  readonly #calledAt = performance.now();
  #beganAt = 0;
  #spare: Spare | undefined;
  #timeout: Alarm | undefined;
  #forgetAbort: (() => void) | undefined;

  /** @param leave Takes the job out of the queue. */
  constructor(spec: LaunchSpec, input: InputSource, answer: Answer<RunResult>, leave: (job: Job) => void) {
    this.#spec = spec;
    this.#input = input;
    this.#answer = answer;
    this.#leave = leave;
    if (spec.signal !== undefined) this.#forgetAbort = onAbort(spec.signal, () => this.#abort());
    // From now on: a stream that breaks while the job waits must not crash the program.
    if ("stream" in input)
      finished(input.stream, { writable: false }, (error) => {
        if (error !== null && error !== undefined) this.#inputFailed(error);
      });
  }

  /** Gives the job to a spare. False where that cannot take one; the job goes on waiting, and is still whole. */
  begin(spare: Spare): boolean {
    if (!spare.take(this.#spec, this.#input)) return false;
    this.#spare = spare;
    this.#beganAt = performance.now();
    this.ticket = -1;
    const { timeout, killSignal } = this.#spec;
    if (timeout > 0) {
      this.#timeout = new Alarm(true, () => spare.stop("timeout", killSignal));
      this.#timeout.set(this.#beganAt + timeout);
    }
    return true;
  }

  #abort(): void {
    if (this.#spare !== undefined) this.#spare.stop("aborted", this.#spec.killSignal);
    else this.#drop(abortError(this.#spec));
  }

  #inputFailed(error: Error): void {
    if (this.#spare !== undefined) this.#spare.inputFailed(error, this.#spec.killSignal);
    else if (this.ticket >= 0) this.#drop(inputError(this.#spec, error));
  }

  #drop(error: unknown): void {
    this.#leave(this);
    this.reject(error);
  }

  /** The job will not begin. */
  reject(error: unknown): void {
    this.ticket = -1;
    this.#forgetAbort?.();
    this.#answer.reject(error);
  }

  /** Until its process ended: its output may have been held open for longer. */
  #lasted(exit: ExitReport): number {
    const endedAt = performance.now() - Math.max(0, endedAgo(exit));
    return Math.max(0, endedAt - this.#beganAt);
  }

  /** Its process has ended. */
  finish(spare: Spare, ended: RunResult): void {
    const { check, encoding, signal } = this.#spec;
    this.#timeout?.clear();
    this.#forgetAbort?.();
    const result: RunResult = { ...ended, waitMs: this.#beganAt - this.#calledAt };
    const { exit } = result;
    if (!check || isSuccess(result)) {
      this.#answer.resolve(result);
      return;
    }
    const cause: unknown = exit.reason === "aborted" ? signal?.reason : spare.inputError;
    // The message is about the job: how long its process had waited before is not the point.
    const message = exitErrorMessage({ ...result, exit: { ...exit, wallMs: this.#lasted(exit) } }, encoding);
    this.#answer.reject(new ExitError(message, result, cause));
  }
}

/** A clean end. */
export function isSuccess({ exit }: RunResult): boolean {
  return exit.status === "exited" && exit.code === 0 && exit.reason === "exit";
}
