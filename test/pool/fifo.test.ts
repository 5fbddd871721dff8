// The queue of runs and the roster of live launches: pure data structures.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fifo } from "#pidpool/pool/fifo.js";
import { Roster } from "#pidpool/pool/roster.js";

/** Repeatable; the constants are Numerical Recipes'. */
function randoms(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("Fifo", () => {
  it("gives members in their order, without those that left", () => {
    const fifo = new Fifo<string>();
    const [a, b, c] = ["a", "b", "c"].map((item) => fifo.add(item)) as [number, number, number];
    fifo.remove(b);
    fifo.remove(b);
    assert.equal(fifo.size, 2);
    assert.deepEqual(fifo.toArray(), ["a", "c"]);
    assert.equal(fifo.shift(), "a");
    fifo.remove(a);
    assert.equal(fifo.size, 1);
    assert.equal(fifo.shift(), "c");
    fifo.remove(c);
    assert.equal(fifo.shift(), undefined);
    assert.equal(fifo.size, 0);
  });

  it("shows the first one without taking it out", () => {
    const fifo = new Fifo<string>();
    assert.equal(fifo.first(), undefined);
    const [a, b, c] = ["a", "b", "c"].map((item) => fifo.add(item)) as [number, number, number];
    fifo.remove(a);
    assert.equal(fifo.first(), "b");
    assert.equal(fifo.size, 2);
    assert.equal(fifo.shift(), "b");
    fifo.remove(b);
    assert.equal(fifo.first(), "c");
    fifo.remove(c);
    assert.equal(fifo.first(), undefined);
  });

  it("does the same as an array, whatever is done to it", () => {
    const random = randoms(7);
    const fifo = new Fifo<number>();
    const model: { ticket: number; item: number }[] = [];
    for (let step = 0; step < 20_000; step++) {
      const kind = random(3);
      if (kind === 0 || model.length === 0) model.push({ item: step, ticket: fifo.add(step) });
      else if (kind === 1) assert.equal(fifo.shift(), model.shift()?.item);
      else fifo.remove(model.splice(random(model.length), 1)[0]?.ticket ?? -1);
      assert.equal(fifo.size, model.length);
    }
    assert.deepEqual(
      fifo.toArray(),
      model.map(({ item }) => item),
    );
  });
});

describe("Roster", () => {
  it("holds exactly those that were added and not deleted", () => {
    const random = randoms(11);
    const roster = new Roster<{ rosterIndex: number }>();
    const model = new Set<{ rosterIndex: number }>();
    for (let step = 0; step < 5_000; step++) {
      if (random(2) === 0 || model.size === 0) {
        const member = { rosterIndex: -1 };
        roster.add(member);
        model.add(member);
      } else {
        const member = [...model][random(model.size)] as { rosterIndex: number };
        model.delete(member);
        assert.equal(roster.delete(member), true);
        assert.equal(roster.delete(member), false);
      }
      assert.equal(roster.size, model.size);
    }
    assert.deepEqual(new Set(roster.members), model);
  });
});
