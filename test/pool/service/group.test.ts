import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { PidpoolError, GroupError } from "pidpool";
import type { Group, GroupRestart } from "#pidpool/pool/service/group.js";
import type { Strategy } from "#pidpool/pool/service/group-plan.js";
import { rejection } from "../../helpers/errors.ts";
import { tempDir } from "../../helpers/files.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { childPids, openFds, until } from "../../helpers/processes.ts";
import { Journal, ward, type Part, type Ward } from "../../helpers/supervised.ts";

const LETTERS = ["a", "b", "c", "d"];

function newJournal(t: TestContext): Journal {
  return new Journal(join(tempDir(t), "journal"));
}

function kill({ pid }: Part): void {
  assert.ok(pid !== undefined);
  process.kill(pid, "SIGKILL");
}

/** Kills parts and resolves once the group has restarted what goes with them. */
async function restarted(group: Group<Part>, ...parts: Part[]): Promise<GroupRestart> {
  const restart = new Promise<GroupRestart>((resolve) => group.once("restart", resolve));
  for (const part of parts) kill(part);
  const info = await restart;
  await group.ready;
  return info;
}

function inState(group: Group<Part>, state: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (group.state !== state) return;
      group.off("state", look);
      resolve();
    };
    group.on("state", look);
    look();
  });
}

/** A group a, b, c, d that is ready, its journal read. */
async function four(pool: ProcessPool, journal: Journal, strategy: Strategy, intensity = 1): Promise<Ward> {
  const parts = LETTERS.map((name) => journal.part(name));
  const all = ward(pool, { name: "four", strategy, intensity, parts });
  await all.group.start();
  assert.equal(journal.read(), "+a a! +b b! +c c! +d d!");
  return all;
}

test("parts are started in order, each after the readiness of the one before, and stopped in reverse, one by one", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group } = await four(pool, journal, "one_for_one");
  assert.equal(group.state, "ready");
  assert.equal(childPids().length, 4);
  await group.stop();
  assert.equal(group.state, "stopped");
  assert.equal(journal.read(), "-d d. -c c. -b b. -a a.");
  assert.deepEqual(childPids(), []);
});

for (const [strategy, lines, parts] of [
  ["one_for_one", "+b b!", ["four/b"]],
  ["one_for_all", "-d d. -c c. -a a. +a a! +b b! +c c! +d d!", ["four/a", "four/b", "four/c", "four/d"]],
  ["rest_for_one", "-d d. -c c. +b b! +c c! +d d!", ["four/b", "four/c", "four/d"]],
] as const) {
  test(`${strategy}: what is stopped and started when the second of four is killed`, async (t) => {
    await using pool = new ProcessPool();
    const journal = newJournal(t);
    const { group, part } = await four(pool, journal, strategy);
    const restart = await restarted(group, part("b"));
    assert.equal(restart.part, "four/b");
    assert.deepEqual(restart.parts, parts);
    assert.equal(restart.report?.status === "signaled" && restart.report.signal, "SIGKILL");
    await until(() => journal.has(lines.split(" ").length));
    assert.equal(journal.read(), lines);
    await group.stop();
  });
}

test("one_for_one: the group stays ready, since its parts restart themselves", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group, part } = await four(pool, journal, "one_for_one");
  const states: string[] = [];
  group.on("state", (state) => states.push(state));
  await restarted(group, part("a"));
  await until(() => journal.has(2));
  assert.deepEqual(states, []);
  await group.stop();
  assert.deepEqual(states, ["stopping", "stopped"]);
});

test("more ends than intensity allows: all parts are stopped in reverse, and the group has failed", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group, part, errors } = await four(pool, journal, "one_for_all", 2);
  const failed = new Promise<GroupError>((resolve) => group.once("failed", resolve));
  await restarted(group, part("a"));
  await restarted(group, part("c"));
  journal.read();
  kill(part("b"));
  const error = await failed;
  assert.ok(error instanceof GroupError);
  assert.equal(error.code, "ERR_SERVICE_FAILED");
  assert.equal(error.group, "four");
  assert.match(
    error.message,
    /^the group "four" has failed: 3 ends within 5000 ms, more than its intensity of 2; the last: four\/b: was killed by SIGKILL\b/,
  );
  assert.equal(error.reports.length, 3);
  assert.deepEqual(errors, [error]);
  assert.equal(group.error, error);
  assert.equal(group.state, "failed");
  assert.equal(journal.read(), "-d d. -c c. -a a.");
  assert.deepEqual(childPids(), []);
  await group.stop();
  assert.equal(group.state, "failed");

  await group.start();
  assert.equal(group.error, undefined);
  assert.equal(group.reports.length, 0);
  await restarted(group, part("a"));
  await restarted(group, part("a"));
  assert.equal(group.state, "ready", "the ends before the start do not count");
  await group.stop();
});

test("ends that are longer ago than the period do not count", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  let now = 0;
  const options = { name: "old", strategy: "one_for_all", intensity: 1, period: 10, parts: [journal.part("a")] };
  const { group, part } = ward(pool, options, () => now);
  await group.start();
  for (; now < 50; now += 11) await restarted(group, part("a"));
  now -= 1;
  kill(part("a"));
  await inState(group, "failed");
});

test("intensity 0: the first end is one too many", async (t) => {
  await using pool = new ProcessPool();
  const { group, part } = await four(pool, newJournal(t), "one_for_one", 0);
  kill(part("d"));
  await inState(group, "failed");
  assert.deepEqual(childPids(), []);
});

test("a part that cannot be started stops those before it in reverse, and fails the group", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const parts = [journal.part("a"), journal.part("b"), { name: "c", script: "exit 3", burst: 2 }, journal.part("d")];
  const { group, errors } = ward(pool, { name: "broken", intensity: 5, parts });
  const error = await rejection(group.start(), GroupError);
  assert.equal(
    error.message,
    'the group "broken" has failed: broken/c could not be started: broken/c was started 2 times',
  );
  assert.ok(error.cause instanceof PidpoolError);
  assert.deepEqual(
    error.reports.map((report) => report.status === "exited" && report.code),
    [3],
    "the last of them asked for no restart",
  );
  assert.equal(group.state, "failed");
  assert.deepEqual(errors, [error]);
  assert.equal(journal.read(), "+a a! +b b! -b b. -a a.");
  assert.deepEqual(childPids(), []);
});

test("a part that ends before it is ready counts, and goes by the strategy", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const once = `[ -e '${journal.path}.once' ] || { : > '${journal.path}.once'; exit 1; }`;
  const parts = [journal.part("a"), { name: "b", script: journal.script("b", once) }];
  const { group } = ward(pool, { name: "late", strategy: "one_for_all", parts });
  const states: string[] = [];
  group.on("state", (state) => states.push(state));
  await group.start();
  assert.equal(journal.read(), "+a a! +b -a a. +a a! +b b!");
  assert.equal(group.reports.length, 1);
  assert.deepEqual(states, ["starting", "ready"]);
  await group.stop();
});

test("a part that cannot be started again is tried again until intensity ends it", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const once = `[ ! -e '${journal.path}.once' ] || exit 1; : > '${journal.path}.once'`;
  const parts = [journal.part("a"), { name: "b", script: journal.script("b", once), burst: 1 }, journal.part("c")];
  const { group, part } = ward(pool, { name: "again", strategy: "rest_for_one", intensity: 3, parts });
  await group.start();
  journal.read();
  kill(part("b"));
  await inState(group, "failed");
  assert.equal(journal.read(), "-c c. +b +b +b -a a.");
});

test("a restart that hangs ends by the start timeout of its part", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const hang = `[ ! -e '${journal.path}.once' ] || read line; : > '${journal.path}.once'`;
  const parts = [journal.part("a"), { name: "b", script: journal.script("b", hang), startTimeout: 200 }];
  const { group, part } = ward(pool, { name: "hangs", strategy: "rest_for_one", parts });
  await group.start();
  kill(part("b"));
  await inState(group, "failed");
  assert.match(group.error?.message ?? "", /the last: hangs\/b: late$/);
  assert.deepEqual(childPids(), []);
});

test("stop() breaks a start off", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const parts = [journal.part("a"), { name: "b", script: journal.script("b", "read line") }, journal.part("c")];
  const { group, errors } = ward(pool, { name: "early", parts });
  const ready = rejection(group.start(), GroupError);
  await until(() => journal.has(3));
  await group.stop();
  assert.equal((await ready).code, "ERR_SERVICE_FAILED");
  assert.equal(journal.read(), "+a a! +b -b b. -a a.");
  assert.deepEqual([group.state, errors, childPids()], ["stopped", [], []]);
});

test("stop() while the group restarts its parts starts nothing more", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group, part } = await four(pool, journal, "one_for_all");
  kill(part("b"));
  await until(() => journal.has(1));
  const restarting = rejection(group.ready, GroupError);
  await group.stop();
  assert.equal(journal.read(), "-d d. -c c. -a a.");
  assert.equal((await restarting).code, "ERR_SERVICE_FAILED");
  assert.deepEqual([group.state, childPids()], ["stopped", []]);
});

test("start() while the group stops: it is stopped whole, and then started", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group } = await four(pool, journal, "one_for_one");
  const order: string[] = [];
  const stopped = group.stop().then(() => order.push("stopped"));
  const started = group.start().then(() => order.push("started"));
  await Promise.all([stopped, started]);
  assert.deepEqual(order, ["stopped", "started"]);
  assert.equal(journal.read(), "-d d. -c c. -b b. -a a. +a a! +b b! +c c! +d d!");
  // The last call wins.
  void group.start();
  const end = group.stop();
  const again = rejection(group.start(), GroupError);
  await Promise.all([end, group.stop()]);
  assert.equal((await again).code, "ERR_SERVICE_FAILED");
  assert.deepEqual([group.state, childPids()], ["stopped", []]);
});

test("restart() stops all in reverse and starts all in order, and counts as no end", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group } = await four(pool, journal, "one_for_one", 0);
  await group.restart();
  assert.equal(journal.read(), "-d d. -c c. -b b. -a a. +a a! +b b! +c c! +d d!");
  await group.stop();
  await group.restart();
  assert.equal(group.state, "ready");
  await group[Symbol.asyncDispose]();
  assert.equal(group.state, "stopped");
});

test("one_for_all: parts that are killed together cost one restart, and one end of the tally", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group, part } = await four(pool, journal, "one_for_all", 1);
  await restarted(group, ...LETTERS.map(part));
  assert.equal(journal.read(), "+a a! +b b! +c c! +d d!");
  assert.equal(group.reports.length, 1);
  await group.stop();
});

test("one_for_one: parts that are killed together count each", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group, part } = await four(pool, journal, "one_for_one", 3);
  for (const name of LETTERS) kill(part(name));
  await inState(group, "failed");
  assert.equal(group.reports.length, 4);
  assert.deepEqual(childPids(), []);
});

test("rest_for_one: an end before those that are being restarted takes the restart back further", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group, part } = await four(pool, journal, "rest_for_one", 2);
  kill(part("c"));
  await until(() => journal.has(1));
  kill(part("a"));
  await until(() => group.reports.length === 2);
  await group.ready;
  assert.equal(journal.read(), "-d d. -b b. +a a! +b b! +c c! +d d!");
  await group.stop();
});

test("a part that is killed while the group stops is not missed and not started again", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group, part } = await four(pool, journal, "one_for_one");
  const end = group.stop();
  kill(part("a"));
  kill(part("c"));
  await end;
  assert.equal(journal.read(), "-d d. -b b.");
  assert.deepEqual([group.state, childPids()], ["stopped", []]);
});

test("a failed group inside a group is an end there: it is started again, then the outer one fails too", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const inner = { name: "inner", strategy: "one_for_all", intensity: 1, parts: ["b", "c"].map((n) => journal.part(n)) };
  const parts = [journal.part("a"), inner, journal.part("d")];
  const { group, part, errors } = ward(pool, { name: "outer", strategy: "rest_for_one", intensity: 1, parts });
  const nested = group.parts.get("inner");
  assert.ok(nested !== undefined && "parts" in nested);
  assert.equal(nested.name, "outer/inner");
  assert.equal(part("inner/b").name, "outer/inner/b");
  await group.start();
  assert.equal(journal.read(), "+a a! +b b! +c c! +d d!");

  await restarted(nested, part("inner/b"));
  assert.equal(journal.read(), "-c c. +b b! +c c!");
  assert.equal(group.state, "ready", "one end is the inner group's own business");

  const escalated = await new Promise<GroupRestart>((resolve) => {
    group.once("restart", resolve);
    kill(part("inner/b"));
  });
  assert.equal(escalated.part, "outer/inner");
  assert.deepEqual(escalated.parts, ["outer/inner", "outer/d"]);
  assert.ok(escalated.error instanceof GroupError);
  await group.ready;
  assert.equal(journal.read(), "-c c. -d d. +b b! +c c! +d d!");
  assert.deepEqual(errors, []);

  await restarted(nested, part("inner/c"));
  journal.read();
  kill(part("inner/c"));
  await inState(group, "failed");
  assert.equal(journal.read(), "-b b. -d d. -a a.");
  assert.equal(errors.length, 1);
  assert.ok(group.error?.cause instanceof GroupError);
  assert.equal(group.error.cause.group, "outer/inner");
  assert.equal(nested.state, "failed");
  assert.deepEqual(childPids(), []);
});

test("fifty parts: start, a restart from the middle, stop", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const names = Array.from({ length: 50 }, (_, i) => `p${i}`);
  const { group, part } = ward(pool, {
    name: "fifty",
    strategy: "rest_for_one",
    parts: names.map((name) => journal.part(name)),
  });
  const starts = names.map((name) => `+${name} ${name}!`);
  const stops = names.map((name) => `-${name} ${name}.`);
  await group.start();
  assert.equal(journal.read(), starts.join(" "));
  await restarted(group, part("p25"));
  assert.equal(journal.read(), [...stops.slice(26).toReversed(), ...starts.slice(25)].join(" "));
  await group.stop();
  assert.equal(journal.read(), stops.toReversed().join(" "));
  assert.deepEqual(childPids(), []);
});

test("a listener may stop the group in the midst of a restart", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const { group, part } = await four(pool, journal, "one_for_all");
  const stopped = new Promise<void>((resolve) => group.once("restart", () => resolve(group.stop())));
  kill(part("b"));
  await stopped;
  assert.equal(journal.read(), "-d d. -c c. -a a.");
  assert.equal(group.state, "stopped");
});

test("nothing is left of groups that were started, restarted, failed and stopped", async (t) => {
  const journal = newJournal(t);
  const cycle = async (): Promise<void> => {
    await using pool = new ProcessPool();
    const { group, part } = await four(pool, journal, "rest_for_one", 1);
    await restarted(group, part("b"));
    kill(part("b"));
    await inState(group, "failed");
    await group.start();
    await group.stop();
    journal.read();
  };
  await cycle();
  const before = openFds().length;
  for (let i = 0; i < 3; i++) await cycle();
  assert.equal(openFds().length, before);
  assert.deepEqual(childPids(), []);
});
