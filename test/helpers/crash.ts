// Killing Node while its children are in groups, and what is left then.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { givenGroup, groupsBeneath } from "./cgroups.ts";
import { startFixture } from "./fixture.ts";
import { isAlive, until } from "./processes.ts";

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

/**
 * Kills a Node with trees in groups, again and again, and waits until nothing is left, for `patience` milliseconds
 * at most.
 */
export async function crash(t: TestContext, times: number, patience: number): Promise<void> {
  const cgroup = await givenGroup(t);
  const seed = Number(process.env["PIDPOOL_SEED"] ?? Date.now() % 2 ** 31);
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
    assert.ok(took < patience, `killed after ${moment} ms, it took ${took} ms`);
  }
}
