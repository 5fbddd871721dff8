// Node is killed at any moment: nothing that it started lives on. HOST_KILLS=200 asks for more moments.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startFixture } from "../helpers/fixture.ts";
import { endMarked, markedPids, newMark } from "../helpers/marked.ts";
import { until } from "../helpers/processes.ts";

const KILLS = Number(process.env["HOST_KILLS"] ?? 40);
const LEVELS: readonly { readonly isolation: unknown; readonly trees: boolean }[] = [
  { isolation: "contained", trees: true },
  { isolation: { pid: "private" }, trees: true },
  // Of these, the direct children.
  { isolation: "shared", trees: false },
  { isolation: "private", trees: false },
  { isolation: "none", trees: false },
];

/** mulberry32: the same moments each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (const [index, { isolation, trees }] of LEVELS.entries()) {
  const name = JSON.stringify(isolation);
  test(`${name}: killed at ${KILLS / LEVELS.length} moments, ${trees ? "no tree" : "no child"} outlives this`, async (t) => {
    const next = random(index + 1);
    for (let i = 0; i < KILLS / LEVELS.length; i++) {
      const mark = newMark();
      t.after(() => endMarked(mark));
      const fixture = startFixture("keeps-launching", [name, trees ? "trees" : "children", mark.PIDPOOL_MARK]);
      await fixture.line();
      await new Promise((resolve) => setTimeout(resolve, next() * 120));
      fixture.process.kill("SIGKILL");
      // What the children hold of its stdout is closed only with them.
      await new Promise((resolve) => fixture.process.once("exit", resolve));
      await until(() => markedPids(mark).length === 0);
    }
    assert.ok(KILLS > 0);
  });
}
