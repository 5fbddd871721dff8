// A set of objects that know their own place in it.

/** A member keeps this for its roster; -1 while it is in none. */
export interface Rostered {
  rosterIndex: number;
}

/**
 * A set without hashing. V8's Set leaves its old table behind whenever it has seen as many members go as it can
 * hold; each dead table refers to its successor and to the members of its time, so once one of them has survived
 * two scavenges, all later ones do too, with everything that was in them, until the next full collection.
 */
export class Roster<T extends Rostered> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  get members(): readonly T[] {
    return this.#members;
  }

  add(member: T): void {
    member.rosterIndex = this.#members.push(member) - 1;
  }

  /** False where it was not in. */
  delete(member: T): boolean {
    const { rosterIndex } = member;
    if (rosterIndex < 0) return false;
    member.rosterIndex = -1;
    const last = this.#members.pop() as T;
    if (last !== member) {
      this.#members[rosterIndex] = last;
      last.rosterIndex = rosterIndex;
    }
    return true;
  }
}
