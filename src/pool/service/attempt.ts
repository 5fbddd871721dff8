// One process of a replica, from the launch to the end.
import { LaunchError, PidpoolError } from "../../errors.ts";
import type { Notification } from "../../process/notification.ts";
import type { Process } from "../../process/process.ts";
import type { ExitReason, ExitReport } from "../../process/report.ts";
import type { LaunchSpec } from "../../process/spec.ts";
import type { Answer, Launch } from "../launch.ts";
import type { ServiceHost } from "./host.ts";

/** Hears of one attempt. `over` comes last, once, and never from within a call of the attempt's methods. */
export interface AttemptEvents {
  launched(attempt: Attempt, pid: number): void;
  said(attempt: Attempt, notification: Notification): void;
  over(attempt: Attempt, report: ExitReport | null, error: PidpoolError | null): void;
}

/** Stages of a launch that fail for want of something in this process or in the system. */
const OURS: ReadonlySet<string> = new Set(["pipe", "clone", "watch", "supervisor"]);

/** Answers come by direct calls: a promise would let the child's first words pass unheard. */
export class Attempt implements Answer<Process> {
  readonly #events: AttemptEvents;
  readonly #launch: Launch | undefined;
  readonly #killAfter: number;
  #process: Process | undefined;
  #killAt = Infinity;
  #ending = false;
  /** When it became ready, on the clock of performance.now(). */
  readyAt: number | undefined;

  constructor(host: ServiceHost, spec: LaunchSpec, refed: boolean, events: AttemptEvents) {
    this.#events = events;
    this.#killAfter = spec.killAfter < 0 ? Infinity : spec.killAfter;
    this.#launch = host.launch(spec, this);
    if (!refed) this.setRef(false);
  }

  setRef(refed: boolean): void {
    this.#launch?.setRef(refed);
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  get ending(): boolean {
    return this.#ending;
  }

  /** Begins to end it, and all that it has started. Once. */
  end(reason: ExitReason, signal: number, now: number): void {
    this.#ending = true;
    this.#killAt = now + this.#killAfter;
    this.#launch?.stop(reason, signal);
  }

  /** The SIGKILL that follows {@link end} waits until then, if it was to come sooner. */
  postponeKill(at: number, now: number): void {
    if (now >= this.#killAt || at <= this.#killAt) return;
    this.#killAt = at;
    this.#launch?.postponeKill(at - now);
  }

  kill(signal: number): boolean {
    return this.#process?.kill(signal) ?? false;
  }

  resolve(process: Process): void {
    this.#process = process;
    process.on("exit", (report) => this.#events.over(this, report, null));
    process.on("notify", (notification) => this.#events.said(this, notification));
    this.#events.launched(this, process.pid);
  }

  reject(error: unknown): void {
    const known =
      error instanceof PidpoolError ? error : new PidpoolError("ERR_LAUNCH", String(error), { cause: error });
    queueMicrotask(() => this.#events.over(this, null, known));
  }
}

/** Whether the program is what cannot be started, and not the system what cannot start anything. */
export function isUnstartable(error: PidpoolError | null): boolean {
  return error instanceof LaunchError && !OURS.has(error.stage);
}
