// Deadlines by key. Most children of a pool share a few durations, and within
// one duration deadlines come due in the order they were set: one insertion-
// ordered map a duration makes setting and clearing O(1).

/** A set of deadlines, each known by a number; times are milliseconds on any one clock. */
export class Deadlines {
  readonly #byDuration = new Map<number, Map<number, number>>();
  readonly #durations = new Map<number, number>();

  /** Replaces the key's deadline, if any. */
  set(key: number, now: number, duration: number): void {
    this.clear(key);
    let list = this.#byDuration.get(duration);
    if (list === undefined) this.#byDuration.set(duration, (list = new Map<number, number>()));
    list.set(key, now + duration);
    this.#durations.set(key, duration);
  }

  clear(key: number): void {
    const duration = this.#durations.get(key);
    if (duration === undefined) return;
    this.#durations.delete(key);
    const list = this.#byDuration.get(duration);
    list?.delete(key);
    if (list?.size === 0) this.#byDuration.delete(duration);
  }

  get size(): number {
    return this.#durations.size;
  }

  /** The earliest deadline, or Infinity. */
  next(): number {
    let earliest = Infinity;
    for (const list of this.#byDuration.values()) {
      for (const at of list.values()) {
        if (at < earliest) earliest = at;
        break;
      }
    }
    return earliest;
  }

  /** Removes and returns the keys whose deadline has come. */
  due(now: number): number[] {
    const keys: number[] = [];
    for (const list of this.#byDuration.values()) {
      for (const [key, at] of list) {
        if (at > now) break;
        keys.push(key);
      }
    }
    for (const key of keys) this.clear(key);
    return keys;
  }
}
