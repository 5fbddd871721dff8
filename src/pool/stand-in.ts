// Supervision by the pool's own thread, while no other can be started for want
// of fds, memory or processes. Without it that could last for ever: children
// hold what the thread needs, zombies too, and it alone reaps them and ends
// those whose time is over.
import type { SupervisorStart } from "./protocol.ts";
import { Supervision } from "./supervision.ts";

/** Milliseconds from one look to the next. */
const INTERVAL = 10;

/** Rests until it is told to work. */
export class StandIn {
  readonly #begin: SupervisorStart;
  readonly #failed: (cause: unknown) => void;
  #supervision: Supervision | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param failed Hears of what would have been the death of a thread; another supervision follows. */
  constructor(begin: SupervisorStart, failed: (cause: unknown) => void) {
    this.#begin = begin;
    this.#failed = failed;
  }

  work(): void {
    this.rest();
    this.#timer = setInterval(() => this.#look(), INTERVAL);
    this.#look();
  }

  /** Before a thread begins: there must be one at a time. */
  rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  setRef(refed: boolean): void {
    if (refed) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** Its work is over. */
  end(): void {
    this.rest();
    this.#begin.port.close();
  }

  #look(): void {
    try {
      // A thread may have begun, and died before it could say so.
      if (this.#supervision === undefined || this.#supervision.superseded) {
        this.#supervision = new Supervision(this.#begin);
      }
      this.#supervision.turn(0);
    } catch (cause) {
      this.#supervision = undefined;
      this.#failed(cause);
    }
  }
}
