import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "#pidpool/pool/deadlines.js";

test("a deadline is due once its time has come, and only once", () => {
  const deadlines = new Deadlines();
  deadlines.set(1, 1000, 50);
  assert.equal(deadlines.size, 1);
  assert.equal(deadlines.next(), 1050);
  assert.deepEqual(deadlines.due(1049.9), []);
  assert.deepEqual(deadlines.due(1050), [1]);
  assert.deepEqual(deadlines.due(9999), []);
  assert.equal(deadlines.size, 0);
  assert.equal(deadlines.next(), Infinity);
});

test("without deadlines the next one is never", () => {
  const deadlines = new Deadlines();
  assert.equal(deadlines.next(), Infinity);
  assert.deepEqual(deadlines.due(Infinity), []);
  assert.equal(deadlines.size, 0);
});

test("the next deadline is the earliest of all durations", () => {
  const deadlines = new Deadlines();
  deadlines.set(1, 0, 100);
  deadlines.set(2, 10, 20);
  deadlines.set(3, 20, 5);
  assert.equal(deadlines.next(), 25);
  assert.deepEqual(deadlines.due(26), [3]);
  assert.equal(deadlines.next(), 30);
  assert.deepEqual(
    deadlines.due(100).toSorted((a, b) => a - b),
    [1, 2],
  );
});

test("a cleared deadline never comes, and clearing what is not there does nothing", () => {
  const deadlines = new Deadlines();
  deadlines.set(1, 0, 10);
  deadlines.set(2, 0, 10);
  deadlines.clear(1);
  deadlines.clear(1);
  deadlines.clear(77);
  assert.equal(deadlines.size, 1);
  assert.deepEqual(deadlines.due(10), [2]);
});

test("a deadline that is set again replaces the earlier one, of the same duration or another", () => {
  const deadlines = new Deadlines();
  deadlines.set(1, 0, 10);
  deadlines.set(2, 5, 10);
  deadlines.set(1, 8, 10);
  assert.equal(deadlines.size, 2);
  assert.deepEqual(deadlines.due(15), [2]);
  deadlines.set(1, 8, 100);
  assert.deepEqual(deadlines.due(18), []);
  assert.equal(deadlines.next(), 108);
  deadlines.set(1, 9, 1);
  assert.deepEqual(deadlines.due(10), [1]);
  assert.equal(deadlines.size, 0);
});

test("within one duration, deadlines come due in the order in which they were set", () => {
  const deadlines = new Deadlines();
  for (let key = 0; key < 100; key++) deadlines.set(key, key, 50);
  assert.equal(deadlines.next(), 50);
  assert.deepEqual(deadlines.due(52), [0, 1, 2]);
  assert.deepEqual(
    deadlines.due(1000),
    Array.from({ length: 97 }, (_, i) => i + 3),
  );
});

test("it agrees with a plain list, whatever is set and cleared", () => {
  const deadlines = new Deadlines();
  const plain = new Map<number, number>();
  let now = 0;
  // A small generator of its own: the same run every time.
  let seed = 42;
  const random = (n: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  for (let step = 0; step < 5000; step++) {
    now += random(4);
    const key = random(30);
    if (random(4) === 0) {
      deadlines.clear(key);
      plain.delete(key);
    } else {
      const duration = [0, 5, 50, 500][random(4)] ?? 0;
      deadlines.set(key, now, duration);
      plain.set(key, now + duration);
    }
    assert.equal(deadlines.next(), Math.min(...plain.values()));
    if (random(3) === 0) {
      const due = [...plain].filter(([, at]) => at <= now).map(([each]) => each);
      for (const each of due) plain.delete(each);
      assert.deepEqual(
        deadlines.due(now).toSorted((a, b) => a - b),
        due.toSorted((a, b) => a - b),
      );
    }
    assert.equal(deadlines.size, plain.size);
  }
});
