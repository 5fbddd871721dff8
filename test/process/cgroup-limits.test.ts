// Limits that cgroup v2 sets, in the kernel's words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidOptionError } from "pidpool";
import { planCgroup } from "#pidpool/process/cgroup-limits.js";

function written(limits: Record<string, unknown>): string[] {
  return (planCgroup(limits, undefined)?.settings ?? []).map(
    ({ controller, file, value, device }) =>
      `${controller}: ${file} = ${device === undefined ? "" : `${device} `}${value}`,
  );
}

test("nothing asked for is no group; a group alone is one without limits", () => {
  assert.equal(planCgroup({}, undefined), undefined);
  assert.equal(planCgroup({ openFiles: 5 } as object, undefined), undefined);
  assert.deepEqual(planCgroup({}, "/sys/fs/cgroup/mine"), {
    parent: "/sys/fs/cgroup/mine",
    settings: [],
    survivors: "kill",
  });
  const plan = planCgroup({ memory: 2 ** 26 }, undefined);
  assert.ok(plan && Object.isFrozen(plan) && Object.isFrozen(plan.settings));
});

test("limits become the kernel's files and words", () => {
  assert.deepEqual(written({ memory: 2 ** 26 }), [
    "memory: memory.max = 67108864",
    "memory: memory.swap.max = 0",
    "memory: memory.oom.group = 1",
  ]);
  assert.deepEqual(written({ pids: 1, cpuWeight: 10_000 }), ["pids: pids.max = 1", "cpu: cpu.weight = 10000"]);
  assert.deepEqual(written({ cpuMax: 0.5 }), ["cpu: cpu.max = 50000 100000"]);
  assert.deepEqual(written({ cpuMax: 0.01 }), ["cpu: cpu.max = 1000 100000"]);
  assert.deepEqual(written({ cpuMax: { quota: 2000 } }), ["cpu: cpu.max = 2000 100000"]);
  assert.deepEqual(written({ cpuMax: { quota: 20_000, period: 10_000 } }), ["cpu: cpu.max = 20000 10000"]);
  assert.deepEqual(
    written({
      io: [
        { device: "8:0", readBytes: 1, writeBytes: 2, readOps: 3, writeOps: 4 },
        { device: "/dev/../dev/sda", writeOps: 5 },
      ],
    }),
    ["io: io.max = 8:0 rbps=1 wbps=2 riops=3 wiops=4", "io: io.max = /dev/sda wiops=5"],
  );
});

test("what is wrong is named, with its value and what is allowed", () => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ memory: 512 }, "limits.memory"],
    [{ memory: Infinity }, "limits.memory"],
    [{ memory: "64M" }, "limits.memory"],
    [{ pids: 0 }, "limits.pids"],
    [{ pids: 1.5 }, "limits.pids"],
    [{ cpuWeight: 0 }, "limits.cpuWeight"],
    [{ cpuWeight: 10_001 }, "limits.cpuWeight"],
    [{ cpuMax: 0 }, "limits.cpuMax"],
    [{ cpuMax: Number.NaN }, "limits.cpuMax"],
    [{ cpuMax: Infinity }, "limits.cpuMax"],
    [{ cpuMax: "1" }, "limits.cpuMax"],
    [{ cpuMax: {} }, "limits.cpuMax.quota"],
    [{ cpuMax: { quota: 5000, period: 5 } }, "limits.cpuMax.period"],
    [{ cpuMax: { cpus: 1 } }, "limits.cpuMax.cpus"],
    [{ io: {} }, "limits.io"],
    [{ io: [undefined] }, "limits.io[0]"],
    [{ io: [{ readBytes: 5 }] }, "limits.io[0].device"],
    [{ io: [{ device: "8:0" }] }, "limits.io[0]"],
    [{ io: [{ device: "8:0", readBytes: 0 }] }, "limits.io[0].readBytes"],
    [{ io: [{ device: "8:0", speed: 1 }] }, "limits.io[0].speed"],
  ];
  for (const [limits, option] of wrong) {
    assert.throws(
      () => planCgroup(limits, undefined),
      (error) => error instanceof InvalidOptionError && error.option === option,
      JSON.stringify(limits),
    );
  }
  for (const cgroup of [5, "", "a\0b", null]) {
    assert.throws(() => planCgroup({}, cgroup), { code: "ERR_INVALID_OPTION", option: "cgroup" });
  }
});
