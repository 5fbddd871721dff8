// What an ordinary user can do with groups, inside and outside of what was
// delegated to it.
import assert from "node:assert/strict";
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { cgroupRoot, noCgroups, scratchGroup } from "../../helpers/cgroups.ts";
import { startFixture } from "../../helpers/fixture.ts";
import { AS_NOBODY, notNobody } from "../../helpers/nobody.ts";

/** A unit's group as systemd delegates it, with DelegateSubgroup=main. */
async function delegated(t: TestContext): Promise<string> {
  const unit = scratchGroup(await cgroupRoot(t), "app.service");
  mkdirSync(join(unit, "main"));
  for (const dir of [unit, join(unit, "main")]) {
    for (const file of ["", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"])
      chownSync(join(dir, file), 65534, 65534);
  }
  return unit;
}

async function inside(group: string | undefined, ...args: string[]): Promise<string> {
  const enter = group === undefined ? [] : ["sh", "-c", 'echo $$ >"$0" && exec "$@"', join(group, "cgroup.procs")];
  const { stdout, stderr } = await startFixture("delegated", args, [...enter, ...AS_NOBODY]).ended;
  assert.equal(stderr, "");
  return stdout.trim();
}

describe("an ordinary user", { skip: noCgroups || notNobody }, () => {
  test("in a subgroup of a delegated unit uses the unit's group", async (t) => {
    const unit = await delegated(t);
    assert.equal(await inside(join(unit, "main")), `${unit} 0 true`);
    assert.deepEqual(readdirSync(unit, { withFileTypes: true }).filter((entry) => entry.isDirectory()).length, 1);
  });

  test("in a delegated unit itself uses that, for groups without limits", async (t) => {
    const unit = await delegated(t);
    assert.equal(await inside(unit), `${unit} 0 true`);
  });

  test("has none where nothing was delegated, and hears what to do", async () => {
    const said = await inside(undefined);
    assert.match(said, /this user may not make children in the cgroup .* is not writable \(EACCES\)/);
    assert.match(said, /DelegateSubgroup=main/);
  });

  test("cannot use a delegated group from outside of it", async (t) => {
    const unit = await delegated(t);
    const said = await inside(undefined, unit);
    assert.match(said, /cgroup\.procs is not writable, the nearest group above both .* and it \(EACCES\)/);
    assert.ok(existsSync(join(unit, "main")));
  });
});
