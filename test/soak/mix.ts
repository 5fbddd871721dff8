// Which kind of lifecycle comes next: each as often as its share says, in small
// numbers too, and well mixed.
import type { Kind } from "./kinds.ts";

/** Half per cents. */
const PLACES = 200;
/** Has no factor in common with them, so that its multiples visit every place. */
const STRIDE = 77;

/** The kinds in turn, for ever. */
export class Mix {
  readonly #places: readonly Kind[];
  #next = 0;

  /** @param only The name of the one kind that is wanted. */
  constructor(kinds: readonly Kind[], only?: string) {
    if (only !== undefined) {
      const wanted = kinds.filter(({ name }) => name === only);
      if (wanted.length === 0) throw new Error(`there is no ${only}, but ${kinds.map(({ name }) => name).join("; ")}`);
      this.#places = wanted;
      return;
    }
    this.#places = kinds.flatMap((kind) => new Array<Kind>((kind.share * PLACES) / 100).fill(kind));
    if (this.#places.length !== PLACES) throw new Error(`the shares are ${this.#places.length} of ${PLACES}`);
  }

  next(): Kind {
    const kind = this.#places[(this.#next++ * STRIDE) % this.#places.length];
    if (kind === undefined) throw new Error("no such place");
    return kind;
  }
}
