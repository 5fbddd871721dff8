// Node is killed while its children are in groups: nothing of them is left,
// whatever they do to hide. PIDPOOL_CRASHES says how often, PIDPOOL_SEED repeats
// a row of moments.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { killWithoutFile, givenGroup, groupsBeneath, noCgroups } from "../../helpers/cgroups.ts";
import { startFixture } from "../../helpers/fixture.ts";
import { isAlive, until } from "../../helpers/processes.ts";

const times = Number(process.env["PIDPOOL_CRASHES"] ?? 20);
const seed = Number(process.env["PIDPOOL_SEED"] ?? Date.now() % 2 ** 31);

/** Numbers in [0, 1), the same for the same seed: mulberry32. */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Pids of processes that live and have this text in their arguments or environment. */
function processesWith(text: string): number[] {
  const has = (pid: string, file: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "latin1").includes(text);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isAlive(Number(name)))
    .filter((pid) => has(pid, "environ") || has(pid, "cmdline"))
    .map(Number);
}

test("SIGKILL of Node leaves neither process nor group", { skip: noCgroups || killWithoutFile }, async (t) => {
  const cgroup = await givenGroup(t);
  const next = random(seed);
  t.diagnostic(`PIDPOOL_SEED=${seed}`);
  for (let i = 0; i < times; i++) {
    // The group is in the arguments of Node and of the guardian, and in the environment of all others.
    const fixture = startFixture("grouped", ["churn", cgroup]);
    await fixture.line();
    // Half of them while the first groups are made.
    const moment = next() < 0.5 ? next() * 30 : next() * 400;
    await sleep(moment);
    fixture.process.kill("SIGKILL");
    await fixture.ended;
    const ended = performance.now();
    await until(() => groupsBeneath(cgroup).length === 0 && processesWith(cgroup).length === 0);
    const took = performance.now() - ended;
    assert.ok(took < 5000, `killed after ${moment} ms, it took ${took} ms`);
  }
});
