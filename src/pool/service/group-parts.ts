// The parts of a group, by their order and by their names.
import type { Group } from "./group.ts";
import type { Supervised } from "./supervised.ts";

/** The parts of a group, in start order. */
export class GroupParts<P extends Supervised> implements Iterable<P | Group<P>> {
  readonly #list: readonly (P | Group<P>)[];
  readonly #byName: ReadonlyMap<string, P | Group<P>>;
  readonly #indexes: ReadonlyMap<Supervised, number>;

  /** @param named Pairs of a part and its own name, without those of the groups above. */
  constructor(named: readonly (readonly [string, P | Group<P>])[]) {
    this.#list = named.map(([, part]) => part);
    this.#byName = new Map(named);
    this.#indexes = new Map(this.#list.map((part, index) => [part, index]));
  }

  get length(): number {
    return this.#list.length;
  }

  /** A part by its name in this group, or by its path from here: `"db"`, `"backend/db"`. */
  get(path: string): P | Group<P> | undefined {
    const end = path.indexOf("/");
    if (end < 0) return this.#byName.get(path);
    const part = this.#byName.get(path.slice(0, end));
    return part !== undefined && "parts" in part ? part.parts.get(path.slice(end + 1)) : undefined;
  }

  /** A part by its place, counted from 0. */
  at(index: number): P | Group<P> | undefined {
    return this.#list[index];
  }

  /** The place of a part; -1 where it is none of this group. */
  indexOf(part: Supervised): number {
    return this.#indexes.get(part) ?? -1;
  }

  [Symbol.iterator](): Iterator<P | Group<P>> {
    return this.#list[Symbol.iterator]();
  }
}
