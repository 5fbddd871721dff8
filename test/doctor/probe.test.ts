// The doctor's report on this machine: its form, and that it is true.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { before, test } from "node:test";
import {
  type Feature,
  type IsolationOptions,
  type LaunchOptions,
  PidpoolError,
  probe,
  type ProbeReport,
  ProcessPool,
} from "pidpool";
import { FEATURES } from "#pidpool/doctor/features.js";
import { findCgroups } from "#pidpool/doctor/cgroup-tree.js";
import { hasCapabilities } from "#pidpool/process/own-rights.js";
import { resultOf } from "../helpers/doctor.ts";

let report: ProbeReport;
before(async () => (report = await probe()));

test("has all features in their order, each with a reason or a detail on one line", () => {
  assert.deepEqual(
    report.features.map(({ feature }) => feature),
    Object.keys(FEATURES),
  );
  for (const { feature, status, detail, since, neededFor, group } of report.features) {
    assert.match(detail, /^[^\n]+$/, feature);
    assert.ok(["yes", "no", "limited"].includes(status), feature);
    assert.deepEqual({ group, since, neededFor }, FEATURES[feature]);
  }
});

test("is frozen all through, and JSON loses nothing", () => {
  const frozen = (value: unknown): boolean =>
    typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
  assert.ok(frozen(report));
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test("says the same again, and of two at a time", async () => {
  assert.deepEqual(await Promise.all([probe(), probe()]), [report, report]);
});

test("describes the machine", () => {
  assert.equal(report.node, process.versions.node);
  assert.equal(report.arch, process.arch);
  assert.equal(report.kernel, readFileSync("/proc/sys/kernel/osrelease", "utf8").trim());
  assert.equal(report.ready, true);
});

const OPTIONS: Partial<Record<Feature, LaunchOptions>> = {
  launch: { isolation: "none" },
  "isolation-shared": { isolation: "shared" },
  "isolation-contained": { isolation: "contained" },
  "isolation-private": { isolation: "private" },
  seccomp: { seccomp: "default", isolation: "none" },
};
for (const [feature, options] of Object.entries(OPTIONS)) {
  test(`${feature} is yes exactly where the option works`, async () => {
    await using pool = new ProcessPool();
    const { status, remedy } = resultOf(report, feature as Feature);
    const error: unknown = await pool.run("true", [], options).then(
      () => null,
      (reason: unknown) => reason,
    );
    assert.equal(status, error === null ? "yes" : "no", String(error));
    if (error !== null) assert.equal(remedy, (error as { remedy?: string }).remedy ?? null);
  });
}

const NAMESPACES: Partial<Record<Feature, readonly [link: string, options: IsolationOptions]>> = {
  "user-namespace": ["user", { user: "private" }],
  "network-namespace": ["net", { network: "private" }],
  "pid-namespace": ["pid", { pid: "private" }],
  "mount-namespace": ["mnt", { mount: true }],
  "ipc-namespace": ["ipc", { ipc: true }],
  "uts-namespace": ["uts", { uts: true }],
  "cgroup-namespace": ["cgroup", { cgroup: true }],
  "time-namespace": ["time", { time: true }],
};
for (const [feature, [link, given]] of Object.entries(NAMESPACES)) {
  test(`${feature} is not no exactly where a child can have another`, async () => {
    await using pool = new ProcessPool();
    const { status } = resultOf(report, feature as Feature);
    const read = (isolation: IsolationOptions): Promise<string | PidpoolError> =>
      pool.run("readlink", [`/proc/self/ns/${link}`], { isolation }).then(
        ({ stdout }) => stdout.trim(),
        (reason: unknown) => reason as PidpoolError,
      );
    const user = given.user ?? "private";
    const [inside, byRight] = [await read({ ...given, user }), await read({ ...given, user: "host" })];
    const outside = await read({});
    if (status === "yes") assert.ok(typeof inside === "string" && inside !== outside, String(inside));
    if (status !== "yes") assert.ok(inside instanceof PidpoolError);
    if (status === "limited") assert.ok(typeof byRight === "string" && byRight !== outside, String(byRight));
    if (status === "no" && link !== "user") assert.ok(byRight instanceof PidpoolError);
  });
}

test("says which way children take into a pid namespace", () => {
  const { status, detail } = resultOf(report, "isolation-contained");
  if (status !== "yes") return;
  assert.match(detail, /a deputy of the launcher enters|the launching thread enters/);
  if (!hasCapabilities("CAP_SYS_ADMIN")) assert.match(detail, /a deputy of the launcher enters/);
});

test("Landlock's additions are there from their ABI on", () => {
  const { status, detail } = resultOf(report, "landlock");
  const abi = status === "yes" ? Number(/ABI (\d+)/.exec(detail)?.[1]) : 0;
  const since = {
    "landlock-move": 2,
    "landlock-truncate": 3,
    "landlock-tcp": 4,
    "landlock-ioctl": 5,
    "landlock-scope": 6,
  } as const;
  for (const [feature, needed] of Object.entries(since)) {
    assert.equal(resultOf(report, feature as Feature).status, abi >= needed ? "yes" : "no", feature);
  }
});

test("what /proc says of cgroups is what is there, and no group is left", (t) => {
  const { directory } = findCgroups();
  assert.equal(resultOf(report, "cgroup-v2").status, directory === undefined ? "no" : "yes");
  if (directory === undefined) return t.skip("no cgroup v2 here");
  assert.ok(existsSync(`${directory}/cgroup.procs`));
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith("pidpool-doctor")),
    [],
  );
  return undefined;
});
