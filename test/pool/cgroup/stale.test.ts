// What pools of dead processes have left behind.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Cgroup } from "#pidpool/pool/cgroup/group.js";
import { newPoolName } from "#pidpool/pool/cgroup/stale.js";
import { bornInto, cgroupRoot, noCgroups, scratchGroup } from "../../helpers/cgroups.ts";

const namespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];

test("names of pools hold the pid, the pid namespace, and chance", async () => {
  const names = [await newPoolName(), await newPoolName()];
  for (const name of names) assert.match(name, new RegExp(`^pidpool-${process.pid}-${namespace}-[0-9a-f]{12}$`));
  assert.notEqual(names[0], names[1]);
});

test("empty groups of dead processes go, all others stay", { skip: noCgroups }, async (t) => {
  const parent = scratchGroup(await cgroupRoot(t), "parent");
  const { pid: dead } = spawnSync("true");
  const make = (name: string): string => {
    mkdirSync(join(parent, name));
    return join(parent, name);
  };
  const stale = make(`pidpool-${dead}-${namespace}-0123456789ab`);
  mkdirSync(join(stale, "1"));
  const alive = make(`pidpool-${process.pid}-${namespace}-0123456789ab`);
  const foreign = make(`pidpool-${dead}-1-0123456789ab`);
  const other = make(`pidpool-${dead}`);
  const populated = make(`pidpool-${dead}-${namespace}-ba9876543210`);
  const group = await Cgroup.create(join(populated, "1"), []);
  const child = bornInto(t, group.fd, "sleep", ["1000"]);

  const before = await cgroupRoot(t, parent);
  assert.ok(existsSync(before.path));
  assert.deepEqual([stale, alive, foreign, other, populated].map(existsSync), [false, true, true, true, true]);
  assert.equal(existsSync(join(populated, "1")), true);

  await group.remove();
  assert.equal((await child.reap()).signal, "SIGKILL");
  const next = await cgroupRoot(t, parent);
  assert.equal(existsSync(populated), false);
  assert.ok(existsSync(next.path));
});
