// What a launch keeps of a child that speaks of itself (option notify): its last
// words, and what is not told yet.
import { LastWords } from "../process/notify-message.ts";

/** The words of one child. */
export class Speech {
  readonly words: LastWords = new LastWords();
  #held: (() => void)[] | undefined;

  /**
   * From now on nothing is told until whoever awaits spawn() has had a chance to listen: an await goes on in a later
   * microtask, but words and even the exit may have come already.
   */
  hold(): void {
    this.#held = [];
    setImmediate(() => {
      const held = this.#held;
      this.#held = undefined;
      for (const tell of held ?? []) tell();
    });
  }

  /** Tells whoever has the process, in the order of these calls. */
  tell(tell: () => void): void {
    if (this.#held === undefined) tell();
    else this.#held.push(tell);
  }
}
