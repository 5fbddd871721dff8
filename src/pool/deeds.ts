// What kill() has done to a child, for its report.
import type { ExitReport, Stopped } from "../process/report.ts";
import { endsByDefault, SIGKILL, signalName } from "../process/signals.ts";

/** The signals that a child got by kill(). */
export class Deeds {
  readonly #sent = new Set<string>();
  /** The last one that could end it, 0 for none. */
  #killed = 0;
  #escalated = false;

  /** A signal was delivered. */
  sent(signal: number): void {
    this.#sent.add(signalName(signal));
    if (endsByDefault(signal)) this.#killed = signal;
  }

  /** The SIGKILL for want of an effect of the one before was delivered. */
  escalated(): void {
    this.#sent.add("SIGKILL");
    if (this.#killed === 0) this.#killed = SIGKILL;
    else this.#escalated = true;
  }

  /** Whether it got this signal. */
  has(signal: string): boolean {
    return this.#sent.has(signal);
  }

  /** What the report is to say. What the pool did first stands, but for who sent the SIGKILL. */
  stopped(report: ExitReport): Stopped | null {
    const { stopped } = report;
    if (this.#killed === 0) return stopped;
    const killed = report.status === "signaled" && report.signal === "SIGKILL";
    if (stopped === null) return { by: "kill", signal: signalName(this.#killed), escalated: killed && this.#escalated };
    const needed = killed && this.#killed === SIGKILL && stopped.signal !== "SIGKILL";
    return needed ? { ...stopped, escalated: true } : stopped;
  }
}
