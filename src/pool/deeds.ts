// What kill() has done to a child, for its report.
import type { Stopped } from "../process/report.ts";
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

  /** What the report says. What the pool did first stands, but for who sent the SIGKILL. */
  stopped(earlier: Stopped | null): Stopped | null {
    if (this.#killed === 0) return earlier;
    if (earlier === null) return { by: "kill", signal: signalName(this.#killed), escalated: this.#escalated };
    const needed = this.#killed === SIGKILL && earlier.signal !== "SIGKILL";
    return needed ? { ...earlier, escalated: true } : earlier;
  }
}
