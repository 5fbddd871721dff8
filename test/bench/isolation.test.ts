// What the scenario "isolation" asks of runners reaches them; nothing is measured
// here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileChildren } from "../../bench/children.ts";
import { bwrapCommand, NO_BWRAP } from "../../bench/contestants/bwrap.ts";
import { Floors } from "../../bench/floors/floors.ts";
import { Runner } from "../../bench/runner/runner.ts";
import { ordinaryUser, type User } from "../../bench/user.ts";

const children = compileChildren();
const wrapper = bwrapCommand();

async function runOnce(env: Readonly<Record<string, string>>, user?: User): Promise<number> {
  const runner = new Runner("pidpool", env, user);
  try {
    const order = { file: children.nop, inFlight: 1, milliseconds: 0, least: 1, most: 60_000, delay: false };
    return (await runner.ask("churn", order)).launches;
  } finally {
    await runner.close();
  }
}

test("a runner answers with the reason why its pool cannot be made", async () => {
  await assert.rejects(runOnce({ PIDPOOL_ISOLATION: '"no such isolation"' }), /isolation/);
});

test("a runner's children are wrapped", async () => {
  assert.equal(await runOnce({ PIDPOOL_WRAPPER: '["/usr/bin/env"]' }), 1);
  await assert.rejects(runOnce({ PIDPOOL_WRAPPER: '["/bin/false"]' }));
});

test("bubblewrap wraps", { skip: wrapper === undefined && NO_BWRAP }, async (t) => {
  const [refused] = (await Floors.compile()).available(["private"]).missing;
  if (refused !== undefined) return t.skip(refused);
  assert.equal(await runOnce({ PIDPOOL_WRAPPER: JSON.stringify(wrapper) }), 1);
});

const other = ordinaryUser();
test(
  "a runner can be somebody else's",
  { skip: other === undefined && "only root can become another user" },
  async (t) => {
    try {
      assert.equal(await runOnce({}, other), 1);
    } catch (error) {
      // A checkout that others may not read: the scenario says so in its notes.
      if (!/EACCES|ended with/.test(String(error))) throw error;
      t.skip(String(error));
    }
  },
);
