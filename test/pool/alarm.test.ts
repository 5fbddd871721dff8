import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { Alarm } from "#pidpool/pool/alarm.js";

test("an alarm is never early", async () => {
  const early: number[] = [];
  await Promise.all(
    Array.from({ length: 300 }, (_, i) => {
      return new Promise<void>((resolve) => {
        const at = performance.now() + i / 7;
        const alarm = new Alarm(true, () => {
          if (performance.now() < at) early.push(at - performance.now());
          assert.equal(alarm.isSet, false);
          resolve();
        });
        alarm.set(at);
      });
    }),
  );
  assert.deepEqual(early, []);
});

test("one that is cleared, or set to never, does not ring; one that is set again rings once", async () => {
  let rings = 0;
  const ring = (): void => void rings++;
  const cleared = new Alarm(true, ring);
  cleared.set(performance.now());
  cleared.clear();
  assert.equal(cleared.isSet, false);
  const never = new Alarm(true, ring);
  never.set(Infinity);
  assert.equal(never.isSet, false);
  await new Promise<void>((resolve) => {
    const again = new Alarm(true, () => {
      rings++;
      setTimeout(resolve, 10);
    });
    again.set(performance.now() + 1);
    again.set(performance.now() + 2);
  });
  assert.equal(rings, 1);
});

test("one that is further away than setTimeout counts does not ring at once, nor again and again", async () => {
  const warnings: string[] = [];
  const hear = ({ name }: Error): void => void warnings.push(name);
  process.on("warning", hear);
  const far = new Alarm(true, () => assert.fail("it rang"));
  far.set(performance.now() + 2 ** 40);
  await new Promise((resolve) => setTimeout(resolve, 10));
  far.clear();
  process.off("warning", hear);
  assert.deepEqual(warnings, []);
});
