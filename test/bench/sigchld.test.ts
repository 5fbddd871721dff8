// The benchmark's process manager with a SIGCHLD handler loses no exit and
// keeps no fd.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, test } from "node:test";
import { compileChildren } from "../../bench/children.ts";
import create from "../../bench/contestants/sigchld.ts";
import { SharedPipe } from "../../bench/runner/shared-pipe.ts";

const children = compileChildren();
const contestant = create();
// Nothing else keeps this process alive while children run.
const timer = setInterval(() => undefined, 1000);
after(async () => {
  clearInterval(timer);
  await contestant.close();
});

function openFds(): number {
  return readdirSync("/proc/self/fd").length;
}

test("2000 runs, 64 at a time, are all seen to exit", async () => {
  await contestant.run(children.nop);
  const before = openFds();
  let left = 2000;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await contestant.run(children.nop);
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  // Pidfds of children that died before their launcher was done with them are closed at a later launch; one of the
  // last child of each of the two launchers may remain.
  for (let i = 0; i < 50 && openFds() > before + 2; i++) await contestant.run(children.nop);
  assert.ok(openFds() <= before + 2, `${openFds()} fds, ${before} before`);
});

test("children that live are told of, and so are the exits of all, killed or not", async () => {
  const pipe = new SharedPipe();
  const all = await Promise.all(Array.from({ length: 200 }, () => contestant.spawn(children.hold, pipe.readEnd)));
  await Promise.all(all.slice(100).map((child) => child.kill()));
  pipe.end();
  await Promise.all(all.map(({ exited }) => exited));
  await all[0]?.kill();
});

test("a program that is not there is a failure, however it is noticed", async () => {
  const runs = Array.from({ length: 200 }, (_, i) => contestant.run(i % 2 === 0 ? children.nop : "/nonexistent"));
  const results = await Promise.allSettled(runs);
  assert.deepEqual(
    results.map(({ status }) => status),
    results.map((_, i) => (i % 2 === 0 ? "fulfilled" : "rejected")),
  );
  await assert.rejects(contestant.spawn("/nonexistent"), /execve/);
});
