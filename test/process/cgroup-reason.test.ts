// Which limit ended a child.
import assert from "node:assert/strict";
import { test } from "node:test";
import { planCgroup } from "#pidpool/process/cgroup-limits.js";
import { cgroupReason, type CgroupUsage, type EndFacts } from "#pidpool/process/cgroup-reason.js";

const nothing: CgroupUsage = {
  oom: null,
  oomKills: null,
  memoryPeak: null,
  pidsMet: null,
  pidsPeak: null,
  userMs: null,
  systemMs: null,
  throttledMs: null,
};
const killed = { status: "signaled", signal: "SIGKILL", reason: "signal" } as const;
const failed = { status: "exited", code: 2, reason: "exit" } as const;
const memory = { memory: 2 ** 26 };
const pids = { pids: 5 };
const ownOom = { oom: 1, oomKills: 3 };

const table: [string, Record<string, unknown>, EndFacts["report"], Partial<CgroupUsage>, string | undefined][] = [
  ["killed for its own limit", memory, killed, ownOom, "memory-limit"],
  ["killed for another's limit, or the machine's", memory, killed, { oom: 0, oomKills: 1 }, undefined],
  ["killed by a stranger", memory, killed, { oom: 0, oomKills: 0 }, undefined],
  ["met the limit, but nobody was killed", memory, killed, { oom: 1, oomKills: 0 }, undefined],
  ["somebody else was killed, the child ended well", memory, { ...failed, code: 0 }, ownOom, undefined],
  ["somebody else was killed, the child said so", memory, { ...failed, code: 137 }, ownOom, undefined],
  ["another signal", memory, { ...killed, signal: "SIGTERM" }, ownOom, undefined],
  ["no limit of ours", { pids: 5 }, killed, ownOom, undefined],
  ["it had timed out before", memory, { ...killed, reason: "timeout" }, ownOom, undefined],
  ["nobody knows how it ended", memory, { status: "unknown", reason: "unknown" }, ownOom, undefined],
  ["a kernel that counts nothing", memory, killed, {}, undefined],
  ["could not fork and failed", pids, failed, { pidsMet: 1, pidsPeak: 5 }, "pids-limit"],
  ["could not fork and crashed", pids, { ...killed, signal: "SIGABRT" }, { pidsMet: 4, pidsPeak: null }, "pids-limit"],
  ["could not fork and did without", pids, { ...failed, code: 0 }, { pidsMet: 1, pidsPeak: 5 }, undefined],
  ["a parent's limit was met", pids, failed, { pidsMet: 1, pidsPeak: 4 }, undefined],
  ["failed without meeting it", pids, failed, { pidsMet: 0, pidsPeak: 5 }, undefined],
  ["aborted meanwhile", pids, { ...failed, reason: "aborted" }, { pidsMet: 1, pidsPeak: 5 }, undefined],
  ["both: memory kills", { ...memory, ...pids }, killed, { ...ownOom, pidsMet: 1, pidsPeak: 5 }, "memory-limit"],
];

for (const [name, limits, report, usage, expected] of table) {
  test(`${name}: ${expected ?? "no limit"}`, () => {
    const plan = planCgroup(limits, undefined);
    assert.ok(plan);
    assert.equal(cgroupReason({ report, killedByUs: false }, plan, { ...nothing, ...usage }), expected);
    assert.equal(cgroupReason({ report, killedByUs: true }, plan, { ...nothing, ...usage }), undefined);
  });
}
