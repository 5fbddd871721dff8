// One process of a warm command, from its start to its end: it waits for one
// job, has one job, or is on its way out.
import { performance } from "node:perf_hooks";
import type { Process } from "../../process/process.ts";
import type { ExitReason } from "../../process/report.ts";
import type { RunResult } from "../../process/result.ts";
import { SIGKILL } from "../../process/signals.ts";
import type { InputSource, LaunchSpec } from "../../process/spec.ts";
import type { Answer, Launch } from "../launch.ts";

/** What a warm command needs of its pool. */
export interface WarmHost {
  /** Starts a process that does not keep Node alive, whether the pool takes new ones or not. */
  launch(spec: LaunchSpec, answer: Answer<Process>): Launch;
}

/** What became of a spare; `gone` comes exactly once, and last. */
export interface SpareEvents {
  /** Its program runs. */
  began(spare: Spare): void;
  /** `error` instead of a result where it could not be started. */
  gone(spare: Spare, result: RunResult | undefined, error: Error | undefined): void;
}

/**
 * - `"starting"`: until exec has succeeded
 * - `"waiting"`
 * - `"working"`: it has a job
 * - `"leaving"`: is being ended without a job, or cannot take one
 */
export type SpareState = "starting" | "waiting" | "working" | "leaving";

/** Owns a process; its stdin is held open by the {@link Child} of its launch. */
export class Spare {
  readonly startedAt: number = performance.now();
  state: SpareState = "starting";
  /** It has ended, or cannot take a job, though nobody had asked it to end. */
  isLost = false;
  readonly #launch: Launch;

  constructor(host: WarmHost, spec: LaunchSpec, events: SpareEvents) {
    this.#launch = host.launch(spec, {
      resolve: (process) => {
        void process.result.then((result) => events.gone(this, result, undefined));
        if (this.state === "starting") this.state = "waiting";
        events.began(this);
      },
      // It may be refused before this constructor is done.
      reject: (error) => queueMicrotask(() => events.gone(this, undefined, error as Error)),
    });
  }

  /** Whether it keeps Node alive. */
  setRef(ref: boolean): void {
    this.#launch.setRef(ref);
  }

  /**
   * Gives it its job, which it must be waiting for.
   *
   * @returns false where it cannot read any more: it has died, or closed its stdin. It has got nothing of the job then.
   */
  take(spec: LaunchSpec, input: InputSource): boolean {
    const { child } = this.#launch;
    if (!child.feed(input)) return false;
    this.state = "working";
    this.setRef(true);
    child.supervisor?.setEnding(child, spec);
    return true;
  }

  /** The stream that feeds it has failed. */
  inputFailed(error: Error, killSignal: number): void {
    this.#launch.child.inputEnded(error, killSignal);
  }

  /** Why the stream that fed it has failed, if it has. */
  get inputError(): unknown {
    return this.#launch.child.inputError;
  }

  stop(reason: ExitReason, signal: number): void {
    this.#launch.stop(reason, signal);
  }

  /** Ends it without a job. */
  retire(signal: number): void {
    this.state = "leaving";
    this.setRef(true);
    this.stop("shutdown", signal);
  }

  /** Ends it at once, whatever it does. */
  kill(): void {
    if (this.state !== "working") this.state = "leaving";
    this.setRef(true);
    this.stop("shutdown", SIGKILL);
  }
}
