// A queue that a member can leave from the middle.

/** Where a member stands: good until it left. */
export type Ticket = number;

/** First in, first out; every step takes amortised constant time. */
export class Fifo<T> {
  /** Members from `#head` on, with holes where one left early. */
  #items: (T | undefined)[] = [];
  #head = 0;
  /** Tickets of members that are no longer in `#items`. */
  #dropped = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): Ticket {
    this.#size++;
    return this.#dropped + this.#items.push(item) - 1;
  }

  /** Takes the first one out. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    for (;;) {
      const item = this.#items[this.#head];
      this.#items[this.#head++] = undefined;
      if (this.#head * 2 > this.#items.length) this.#compact();
      if (item === undefined) continue;
      this.#size--;
      return item;
    }
  }

  /** The first one, which stays. */
  first(): T | undefined {
    if (this.#size === 0) return undefined;
    while (this.#items[this.#head] === undefined) this.#head++;
    return this.#items[this.#head];
  }

  /** Takes one out wherever it stands. */
  remove(ticket: Ticket): void {
    const at = ticket - this.#dropped;
    if (at < this.#head || this.#items[at] === undefined) return;
    this.#items[at] = undefined;
    this.#size--;
  }

  #compact(): void {
    this.#dropped += this.#head;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  toArray(): T[] {
    return this.#items.filter((item) => item !== undefined);
  }
}
