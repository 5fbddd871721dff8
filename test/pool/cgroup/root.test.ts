// A pool's group: where it is made, what is refused, and that nothing is left.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { IsolationError } from "pidpool";
import { directoryOf, parseMountinfo, parseOwnCgroup } from "#pidpool/native/cgroup-mounts.js";
import { CgroupRoot } from "#pidpool/pool/cgroup/root.js";
import { planCgroup, type CgroupPlan } from "#pidpool/process/cgroup-limits.js";
import { bornInto, cgroupRoot, members, noCgroups, scratchGroup } from "../../helpers/cgroups.ts";
import { rejection } from "../../helpers/errors.ts";
import { startFixture } from "../../helpers/fixture.ts";
import { tempDir } from "../../helpers/files.ts";
import { isAlive, openFds } from "../../helpers/processes.ts";

const PLAIN: CgroupPlan = { parent: undefined, settings: [], survivors: "kill" };

function plan(limits: Record<string, unknown>): CgroupPlan {
  const made = planCgroup(limits, undefined);
  assert.ok(made);
  return made;
}

describe("the pool's group", { skip: noCgroups }, () => {
  test("a child is born into a group, and the group goes after it", async (t) => {
    const root = await cgroupRoot(t);
    const group = await root.createGroup(PLAIN);
    const child = bornInto(t, group.fd, "sleep", ["1000"]);
    assert.deepEqual(members(group.path), [child.pid]);
    await group.born();
    assert.equal(group.fd, -1);
    await group.kill();
    assert.equal((await child.reap()).signal, "SIGKILL");
    const { userMs, systemMs } = await group.usage();
    assert.ok(userMs !== null && systemMs !== null && userMs + systemMs > 0);
    assert.equal(await root.removeGroup(group), true);
    assert.equal(existsSync(group.path), false);
    assert.equal(await root.removeGroup(group), true);
    assert.notEqual((await root.createGroup(PLAIN)).path, group.path);
  });

  test("removal ends what the child has left behind, or leaves it", async (t) => {
    const root = await cgroupRoot(t);
    const leave = async (): Promise<{
      path: string;
      left: number;
      remove: (how: "kill" | "keep") => Promise<boolean>;
    }> => {
      const group = await root.createGroup(PLAIN);
      const child = bornInto(t, group.fd, "sh", ["-c", "sleep 1000 & exit 3"]);
      assert.equal((await child.reap()).code, 3);
      const [left = 0] = members(group.path);
      return { path: group.path, left, remove: (how) => root.removeGroup(group, how) };
    };
    const [ended, kept] = [await leave(), await leave()];
    assert.equal(await ended.remove("kill"), true);
    assert.equal(isAlive(ended.left), false);
    assert.equal(await kept.remove("keep"), false);
    assert.equal(isAlive(kept.left), true);
    assert.equal(await root.dispose(), false, "a survivor keeps the pool's group");
    assert.equal(isAlive(kept.left), true);
    await root.kill();
    await root.dispose();
    // Nobody waits for it here, so the kernel may take its time.
    while (!(await root.dispose())) assert.ok(existsSync(root.path));
  });

  test("dispose ends and removes all, also what is under way, and then nothing begins", async (t) => {
    const root = await CgroupRoot.find();
    const group = await root.createGroup(PLAIN);
    const child = bornInto(t, group.fd, "sleep", ["1000"]);
    const late = root.createGroup(PLAIN);
    assert.equal(await root.dispose(), true);
    await late;
    assert.equal((await child.reap()).signal, "SIGKILL");
    assert.equal(existsSync(root.path), false);
    await assert.rejects(root.createGroup(PLAIN), { code: "ERR_CLOSED" });
    assert.equal(await root.dispose(), true);
    assert.deepEqual(
      openFds().filter((fd) => fd.includes(root.path)),
      [],
    );
  });

  test("a limit whose controller is missing is refused with the reason, and leaves nothing", async (t) => {
    const root = await cgroupRoot(t);
    const available = readFileSync(join(root.parent, "cgroup.controllers"), "utf8").trim().split(" ");
    const missing = (["memory", "pids", "cpu", "io"] as const).filter((name) => !available.includes(name));
    if (missing.length === 0) {
      t.skip(`${root.parent} has all controllers; test/vm tests what they do`);
      return;
    }
    const limits = {
      memory: { memory: 2 ** 26 },
      pids: { pids: 5 },
      cpu: { cpuMax: 0.5 },
      io: { io: [{ device: "8:0", readOps: 1 }] },
    };
    const before = openFds();
    const { legacy } = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
    for (const controller of missing) {
      const error = await rejection(root.createGroup(plan(limits[controller])), IsolationError);
      assert.equal(error.code, "ERR_ISOLATION");
      assert.equal(error.stage, "cgroup");
      assert.match(error.message, new RegExp(`lacks the controller ${controller} `));
      assert.ok(error.message.includes(root.parent), error.message);
      assert.ok(error.message.includes(legacy.get(controller) ?? ""), error.message);
      assert.ok(error.remedy !== undefined && error.message.endsWith(error.remedy));
    }
    assert.deepEqual(openFds(), before);
    assert.deepEqual(
      readdirSync(root.path, { withFileTypes: true }).filter((entry) => entry.isDirectory()),
      [],
    );
  });

  test("where fds run out, the error says so, and no group is left", async () => {
    const limit = "--nofile=128";
    const { stdout, stderr } = await startFixture("no-fds-for-groups", [], ["prlimit", limit]).ended;
    assert.equal(stdout, "EMFILE 1 true\n", stderr);
  });

  test("a given group is used, unless it is none", async (t) => {
    const root = await cgroupRoot(t);
    const inner = await cgroupRoot(t, root.path);
    assert.equal(inner.parent, root.path);
    assert.ok(existsSync(inner.path) && inner.path.startsWith(`${root.path}/pidpool-${process.pid}-`));
    await inner.dispose();

    const dir = tempDir(t);
    const elsewhere = await rejection(CgroupRoot.find(dir), IsolationError);
    assert.match(elsewhere.message, /is no directory of cgroup v2/);
    const nowhere = await rejection(CgroupRoot.find(join(dir, "nothing")), IsolationError);
    assert.deepEqual([nowhere.errno, nowhere.syscall, nowhere.stage], ["ENOENT", "statfs", "cgroup"]);
  });

  test("a group for threads only is refused", async (t) => {
    const root = await cgroupRoot(t);
    const parent = scratchGroup(root, "threads");
    const threaded = scratchGroup(root, join("threads", "t"));
    writeFileSync(join(threaded, "cgroup.type"), "threaded");
    const error = await rejection(CgroupRoot.find(parent), IsolationError);
    assert.match(error.message, /threads only/);
    assert.deepEqual(
      readdirSync(parent).filter((name) => name.startsWith("pidpool-")),
      [],
    );
  });

  test("a full group is refused with the file to raise", async (t) => {
    const root = await cgroupRoot(t);
    const full = scratchGroup(root, "full");
    writeFileSync(join(full, "cgroup.max.descendants"), "0");
    const error = await rejection(CgroupRoot.find(full), IsolationError);
    assert.equal(error.errno, "EAGAIN");
    assert.match(error.remedy ?? "", /cgroup\.max\.descendants/);
  });

  test("groups with strange names are found again", async (t) => {
    const root = await cgroupRoot(t);
    const strange = scratchGroup(root, String.raw`a b\x2d:c`);
    const inner = await cgroupRoot(t, strange);
    const group = await inner.createGroup(PLAIN);
    const child = bornInto(t, group.fd, "sleep", ["1000"]);
    const own = parseOwnCgroup(readFileSync(`/proc/${child.pid}/cgroup`, "utf8"));
    assert.ok(own);
    const { mounts } = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
    assert.equal(directoryOf(own, mounts), group.path);
    await inner.dispose();
    assert.equal((await child.reap()).signal, "SIGKILL");
    assert.equal(basename(strange), String.raw`a b\x2d:c`);
    assert.ok(!existsSync(inner.path) && existsSync(strange));
  });

  test("what must be a new directory is one", async (t) => {
    const root = await cgroupRoot(t);
    mkdirSync(join(root.path, "1"));
    const error = await rejection(root.createGroup(PLAIN), IsolationError);
    assert.equal(error.errno, "EEXIST");
    assert.ok(existsSync(join(root.path, "1")));
    await root.dispose();
    assert.equal(existsSync(root.path), false);
  });
});
