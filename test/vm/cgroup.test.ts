// Limits by cgroup v2, on a machine that has its controllers.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { IsolationError } from "pidpool";
import { enableControllers } from "#pidpool/pool/cgroup/controllers.js";
import { CgroupRoot } from "#pidpool/pool/cgroup/root.js";
import type { Cgroup } from "#pidpool/pool/cgroup/group.js";
import { planCgroup, type CgroupPlan } from "#pidpool/process/cgroup-limits.js";
import { cgroupReason, type CgroupUsage } from "#pidpool/process/cgroup-reason.js";
import { bornInto, cgroupRoot, noCgroups, scratchGroup, type Born, type End } from "../helpers/cgroups.ts";
import { rejection } from "../helpers/errors.ts";
import { startFixture } from "../helpers/fixture.ts";
import { until } from "../helpers/processes.ts";

const MIB = 2 ** 20;
/** Large enough that nothing else meets it, and a small part of any machine. */
const LIMIT = 24 * MIB;
const EATER = `dd if=/dev/zero of=/dev/null bs=${16 * LIMIT} count=1`;

function plan(limits: Record<string, unknown>): CgroupPlan {
  const made = planCgroup(limits, undefined);
  assert.ok(made);
  return made;
}

/** Why these limits cannot be set here, as the library says it. */
async function lacking(limits: Record<string, unknown>): Promise<string | false> {
  if (noCgroups !== false) return noCgroups;
  const root = await CgroupRoot.find();
  try {
    await root.removeGroup(await root.createGroup(plan(limits)));
    return false;
  } catch (error) {
    if (error instanceof IsolationError) return error.message;
    throw error;
  } finally {
    await root.dispose();
  }
}

const noMemory = await lacking({ memory: LIMIT });
const noPids = await lacking({ pids: 5 });
const noCpu = await lacking({ cpuMax: 0.5, cpuWeight: 50 });
const disk = readdirSync("/sys/block")
  .filter((name) => readFileSync(join("/sys/block", name, "size"), "latin1").trim() !== "0")
  .map((name) => readFileSync(join("/sys/block", name, "dev"), "latin1").trim())
  .at(0);
const noIo = disk === undefined ? "there is no block device" : await lacking({ io: [{ device: disk, readOps: 10 }] });

interface Started {
  readonly root: CgroupRoot;
  readonly group: Cgroup;
  readonly child: Born;
  /** Waits for the child's end, removes the group, and says which limit it was. */
  readonly end: () => Promise<{ end: End; usage: CgroupUsage; reason: string | undefined }>;
}

async function start(t: TestContext, limits: Record<string, unknown>, script: string): Promise<Started> {
  const root = await cgroupRoot(t);
  const group = await root.createGroup(plan(limits));
  const child = bornInto(t, group.fd, "sh", ["-c", script]);
  return {
    root,
    group,
    child,
    end: async () => {
      const end = await child.reap();
      const usage = await group.usage();
      assert.equal(await root.removeGroup(group), true);
      assert.equal(existsSync(group.path), false);
      const reason = end.status === "exited" ? ("exit" as const) : ("signal" as const);
      return {
        end,
        usage,
        reason: cgroupReason({ report: { ...end, reason }, killedByUs: false }, plan(limits), usage),
      };
    },
  };
}

describe("memory", { skip: noMemory }, () => {
  test("the child dies of the limit", async (t) => {
    const { end, usage, reason } = await (await start(t, { memory: LIMIT }, `exec ${EATER}`)).end();
    assert.equal(end.signal, "SIGKILL");
    assert.equal(reason, "memory-limit");
    assert.ok(usage.memoryPeak === null || (usage.memoryPeak <= LIMIT && usage.memoryPeak > LIMIT / 2));
  });

  test("the child dies with its own child, which needed the memory", async (t) => {
    const { end, reason } = await (await start(t, { memory: LIMIT }, `${EATER}; exit 0`)).end();
    assert.equal(end.signal, "SIGKILL");
    assert.equal(reason, "memory-limit");
  });

  test("a stranger's SIGKILL and an exit code of 137 are no limit", async (t) => {
    for (const script of ["kill -KILL $$", "exit 137"]) {
      const { usage, reason } = await (await start(t, { memory: LIMIT }, script)).end();
      assert.equal(usage.oomKills, 0);
      assert.equal(reason, undefined);
    }
  });

  test("arguments that do not fit are the child's end, not ours", async () => {
    const { code, signal, stdout, stderr } = await startFixture("tight-group").ended;
    assert.deepEqual([code, signal, stdout], [0, null, "execve execve execve\n"], stderr);
  });
});

describe("pids", { skip: noPids }, () => {
  test("a fork beyond the limit fails, and the child that fails of it", async (t) => {
    const script = "for i in 1 2 3 4 5 6; do sleep 1000 & done; exit 3";
    const { end, usage, reason } = await (await start(t, { pids: 3 }, script)).end();
    assert.equal(end.status, "exited");
    assert.notEqual(end.code, 0);
    assert.ok((usage.pidsMet ?? 0) > 0);
    assert.ok(usage.pidsPeak === null || usage.pidsPeak === 3);
    assert.equal(reason, "pids-limit");
  });

  test("one process may be all", async (t) => {
    const { end, reason } = await (await start(t, { pids: 1 }, "exit 4")).end();
    assert.equal(end.code, 4);
    assert.equal(reason, undefined);
  });
});

describe("cpu", { skip: noCpu }, () => {
  test("a child that computes is held back", async (t) => {
    const { group, end } = await start(t, { cpuMax: 0.05, cpuWeight: 50 }, "while :; do :; done");
    assert.equal(readFileSync(join(group.path, "cpu.max"), "latin1"), "5000 100000\n");
    assert.equal(readFileSync(join(group.path, "cpu.weight"), "latin1"), "50\n");
    await until(() => /throttled_usec [1-9]/.test(readFileSync(join(group.path, "cpu.stat"), "latin1")));
    await group.kill();
    const { usage, reason } = await end();
    assert.ok((usage.throttledMs ?? 0) > 0 && (usage.userMs ?? 0) + (usage.systemMs ?? 0) > 0);
    assert.equal(reason, undefined);
  });
});

describe("io", { skip: noIo }, () => {
  test("the disk's limits are set, and a device that is none is refused", async (t) => {
    const root = await cgroupRoot(t);
    const limits = { io: [{ device: disk, readBytes: MIB, writeOps: 50 }] };
    const group = await root.createGroup(plan(limits));
    assert.equal(
      readFileSync(join(group.path, "io.max"), "latin1"),
      `${disk} rbps=${MIB} wbps=max riops=max wiops=50\n`,
    );
    for (const device of ["/proc", "999:999"]) {
      await rejection(root.createGroup(plan({ io: [{ device, readOps: 1 }] })), IsolationError);
    }
    await root.removeGroup(group);
    assert.deepEqual(
      readdirSync(root.path, { withFileTypes: true }).filter((entry) => entry.isDirectory()),
      [],
    );
  });
});

describe("delegation", { skip: noMemory || noPids }, () => {
  test("a group with processes passes nothing on, and does not turn threaded", async (t) => {
    const root = await cgroupRoot(t);
    await root.createGroup(plan({ memory: LIMIT, pids: 5 }));
    const busy = await root.createGroup({ parent: undefined, settings: [], survivors: "kill" });
    const child = bornInto(t, busy.fd, "sleep", ["1000"]);
    for (const controllers of [["memory"], ["pids"], ["pids", "memory"]] as const) {
      const error = await rejection(
        enableControllers(busy.path, controllers, { mounts: [], legacy: new Map() }),
        IsolationError,
      );
      assert.match(error.message, /processes live in it/);
      assert.match(error.remedy ?? "", /DelegateSubgroup/);
    }
    assert.equal(readFileSync(join(busy.path, "cgroup.type"), "latin1"), "domain\n");
    assert.equal(readFileSync(join(busy.path, "cgroup.subtree_control"), "latin1").trim(), "");
    await busy.kill();
    await child.reap();
  });

  test("a given group has the controllers that it was given", async (t) => {
    const outer = await cgroupRoot(t);
    await outer.removeGroup(await outer.createGroup(plan({ memory: LIMIT })));
    const parent = scratchGroup(outer, "given");
    const root = await cgroupRoot(t, parent);
    const group = await root.createGroup(plan({ memory: LIMIT }));
    assert.equal(readFileSync(join(group.path, "memory.max"), "latin1"), `${LIMIT}\n`);
    const error = await rejection(root.createGroup(plan({ pids: 5 })), IsolationError);
    assert.match(error.message, /lacks the controller pids \(it has memory\)/);
  });
});

test("limits at once, in one group", { skip: noMemory || noPids || noCpu }, async (t) => {
  const limits = { memory: LIMIT, pids: 10, cpuMax: { quota: 50_000, period: 50_000 }, cpuWeight: 200 };
  const { group, end } = await start(t, limits, "exit 0");
  assert.equal(readFileSync(join(group.path, "memory.oom.group"), "latin1"), "1\n");
  const { end: ended, reason } = await end();
  assert.deepEqual([ended.code, reason], [0, undefined]);
});
