// Ending whole trees, however they hide, and removing their group.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { isEmpty, killByPidfds, killGroup, removeIfEmpty, removeWhenEmpty } from "#pidpool/pool/cgroup/emptying.js";
import type { Cgroup } from "#pidpool/pool/cgroup/group.js";
import { bornInto, cgroupRoot, members, noCgroups, type Born } from "../../helpers/cgroups.ts";
import { hasCommands, isAlive, openFds, until } from "../../helpers/processes.ts";

const skip = noCgroups !== false ? noCgroups : !hasCommands("setsid") && "setsid is not installed";
/** Daemons three deep: each in a session of its own, the middle ones orphans. */
const TREE = `
  setsid sh -c 'setsid sh -c "setsid sleep 1000 & setsid sleep 1000 & exit" & setsid sleep 1000 & wait' &
  exec sleep 1000`;

async function plantTree(t: TestContext): Promise<{ group: Cgroup; child: Born; pids: number[] }> {
  const root = await cgroupRoot(t);
  const group = await root.createGroup({ parent: undefined, settings: [], survivors: "kill" });
  const child = bornInto(t, group.fd, "sh", ["-c", TREE]);
  const sleeping = (): number[] =>
    members(group.path).filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, "latin1") === "sleep\n";
      } catch {
        return false;
      }
    });
  await until(() => sleeping().length === 4);
  return { group, child, pids: members(group.path) };
}

describe("emptying", { skip }, () => {
  test("cgroup.kill ends a tree of daemons, and the group can go", async (t) => {
    const { group, child, pids } = await plantTree(t);
    assert.equal(await isEmpty(group.path), false);
    assert.equal(await removeIfEmpty(group.path), false);
    await killGroup(group.path);
    assert.equal((await child.reap()).signal, "SIGKILL");
    assert.equal(await removeWhenEmpty(group.path), true);
    assert.deepEqual(pids.filter(isAlive), []);
    assert.equal(existsSync(group.path), false);
  });

  test("without cgroup.kill, pidfds do it, and leave nothing frozen or open", async (t) => {
    const { group, child, pids } = await plantTree(t);
    const fds = openFds().length;
    await killByPidfds(group.path);
    assert.equal(openFds().length, fds);
    assert.equal((await child.reap()).signal, "SIGKILL");
    assert.deepEqual(pids.filter(isAlive), []);
    assert.equal(readFileSync(join(group.path, "cgroup.freeze"), "utf8"), "0\n");
  });

  test("pidfds reach what moved into groups that the tree has made itself", async (t) => {
    const { group, pids } = await plantTree(t);
    const below = join(group.path, "own", "deeper");
    mkdirSync(below, { recursive: true });
    writeFileSync(join(below, "cgroup.procs"), `${pids.at(-1)}`);
    await killByPidfds(group.path);
    assert.deepEqual(pids.filter(isAlive), []);
    assert.equal(await removeWhenEmpty(group.path), true);
    assert.equal(existsSync(group.path), false);
  });

  test("pidfds reach processes in groups of threads, which do not list them", async (t) => {
    const { group, pids } = await plantTree(t);
    const threaded = join(group.path, "threads");
    mkdirSync(threaded);
    writeFileSync(join(threaded, "cgroup.type"), "threaded");
    writeFileSync(join(threaded, "cgroup.threads"), `${pids.at(-1)}`);
    await killByPidfds(group.path);
    assert.deepEqual(pids.filter(isAlive), []);
  });

  test("a group that is gone is empty, and nothing to kill", async (t) => {
    const root = await cgroupRoot(t);
    const gone = join(root.path, "gone");
    await killGroup(gone);
    await killByPidfds(gone);
    assert.equal(await isEmpty(gone), true);
    assert.equal(await removeWhenEmpty(gone), true);
  });
});
