// What listeners are told: in the order in which it happened, and never in the
// midst of a change, so that they may call whatever they like.
import { tell } from "../tell.ts";

export class News {
  readonly #waiting: (() => void)[] = [];
  #holds = 0;
  #telling = false;

  /** Calls the listeners now, or once what is under way is complete. */
  tell(emit: () => void): void {
    this.#waiting.push(emit);
    this.#flush();
  }

  /** Makes a change; who is told of it is told afterwards. */
  hold<T>(change: () => T): T {
    this.#holds++;
    try {
      return change();
    } finally {
      this.#holds--;
      this.#flush();
    }
  }

  #flush(): void {
    if (this.#holds > 0 || this.#telling) return;
    this.#telling = true;
    for (let emit = this.#waiting.shift(); emit !== undefined; emit = this.#waiting.shift()) tell(emit);
    this.#telling = false;
  }
}
