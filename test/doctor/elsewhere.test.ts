// The doctor on machines that allow less, as far as this one can play them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import type { Feature, ProbeReport } from "pidpool";
import { AS_NOBODY, examine, nobodyCannot, resultOf } from "../helpers/doctor.ts";
import { fixturePath } from "../helpers/fixture.ts";
import { hasCommands } from "../helpers/processes.ts";

const NAMESPACES = ["network", "mount", "ipc", "uts", "cgroup"].map((kind) => `${kind}-namespace` as Feature);
const notNobody = nobodyCannot();

function statuses(report: ProbeReport, features: readonly Feature[]): string[] {
  return features.map((feature) => resultOf(report, feature).status);
}

test("leaves no fd and no child, and takes less than two seconds", async () => {
  const { took } = await examine("doctor");
  assert.ok(took < 2000, `${took} ms`);
});

test(
  "an ordinary user is told which ids are mapped, and the way into a pid namespace",
  { skip: notNobody },
  async () => {
    const { report } = await examine("doctor", [], AS_NOBODY);
    assert.equal(report.ready, true);
    const user = resultOf(report, "user-namespace");
    if (user.status === "yes") assert.match(user.detail, /^uid 65534 and gid 65534 stay as they are; others need CAP_/);
    else assert.match(user.remedy ?? "", /userns|namespace|seccomp profile/);
    const contained = resultOf(report, "isolation-contained");
    if (contained.status === "yes") assert.match(contained.detail, /a deputy of the launcher enters/);
    const create = resultOf(report, "cgroup-create");
    if (create.status === "no" && create.detail.includes("EACCES")) assert.match(create.remedy ?? "", /Delegate=yes/);
  },
);

/** What is true under Docker's profile, whoever asks. */
function assertContainer(report: ProbeReport): void {
  assert.equal(report.ready, true);
  assert.deepEqual(statuses(report, ["launch", "legacy-clone", "clone3"]), ["yes", "yes", "no"]);
  const clone3 = resultOf(report, "clone3");
  assert.match(clone3.detail, /ENOSYS.*legacy clone/);
  assert.match(clone3.remedy ?? "", /seccomp profile allow clone3/);
  for (const feature of [
    "isolation-shared",
    "isolation-contained",
    "isolation-private",
    "user-namespace",
    "pid-namespace",
  ] as const) {
    const { status, detail, remedy } = resultOf(report, feature);
    assert.equal(status, "no", feature);
    assert.match(detail, /seccomp filter/, feature);
    assert.match(remedy ?? "", /docker run --security-opt/, feature);
    assert.ok(!detail.includes(remedy ?? "-"), "the remedy is said once");
  }
  assert.equal(resultOf(report, "seccomp").status, "yes");
}

test("under Docker's seccomp profile: legacy clone, no isolation, and the remedy", async () => {
  const { report } = await examine("docker-profile", [fixturePath("doctor")]);
  assertContainer(report);
  if (process.geteuid?.() !== 0) return;
  // With CAP_SYS_ADMIN, which that profile's containers have not, no user namespace is needed.
  for (const feature of NAMESPACES) {
    const { status, detail } = resultOf(report, feature);
    if (status === "limited") assert.match(detail, /^only with user: "host"; else /, feature);
  }
});

test("the same as an ordinary user: no namespace at all", { skip: notNobody }, async () => {
  const { report } = await examine("docker-profile", [fixturePath("doctor")], AS_NOBODY);
  assertContainer(report);
  assert.deepEqual(
    statuses(report, NAMESPACES),
    NAMESPACES.map(() => "no"),
  );
});

test("root of a user namespace has all that is beneath it, one after the other", async (t) => {
  const wrap = ["unshare", "--user", "--map-root-user"];
  const [file = "", ...args] = wrap;
  if (spawnSync(file, [...args, "true"]).status !== 0) return t.skip("unshare(1) makes no user namespace here");
  const { report } = await examine("doctor", [], wrap);
  const features = ["isolation-shared", "isolation-contained", "isolation-private", ...NAMESPACES] as const;
  assert.deepEqual(
    statuses(report, features),
    features.map(() => "yes"),
  );
  // A thread that has entered a pid namespace could not leave it again, for want of rights over its own.
  assert.match(resultOf(report, "isolation-contained").detail, /a deputy of the launcher enters/);
  return undefined;
});

for (const [name, errno, feature, detail, remedy] of [
  ["pidfd_open", 38, "pidfd_open", /ENOSYS: .*since 5\.3/, /^use Linux 5\.3 or newer/],
  ["close_range", 1, "close_range", /EPERM: .*seccomp filter/, /allow close_range/],
] as const) {
  test(`without ${name}: not ready, with the reason, and the rest is tried all the same`, async () => {
    const { report } = await examine("doctor", [`${name}=${errno}`]);
    assert.equal(report.ready, false);
    const missing = resultOf(report, feature);
    assert.equal(missing.status, "no");
    assert.match(missing.detail, detail);
    assert.match(missing.remedy ?? "", remedy);
    const others = (["pidfd_open", "pidfd_send_signal", "waitid", "close_range"] as const).filter((f) => f !== feature);
    assert.deepEqual(statuses(report, others), ["yes", "yes", "yes"]);
    assert.match(resultOf(report, "launch").detail, new RegExp(`${name} failed`));
    assert.match(resultOf(report, "isolation-shared").detail, /^not tried: /);
    assert.doesNotMatch(resultOf(report, "landlock").detail, /^not tried/);
  });
}

test("an ignored SIGCHLD is told, and launches go on", async () => {
  const { report } = await examine("doctor", ["SIGCHLD"]);
  assert.equal(report.ready, true);
  const { status, detail, remedy } = resultOf(report, "sigchld");
  assert.equal(status, "limited");
  assert.match(detail, /^ignored: /);
  assert.match(remedy ?? "", /trap '' CHLD/);
  assert.equal(resultOf(report, "seccomp").status, "yes");
});

test("few fds are told, with the number of children that they allow", async (t) => {
  if (!hasCommands("prlimit")) return t.skip("prlimit(1) is not installed");
  const { report } = await examine("doctor", [], ["prlimit", "--nofile=364"]);
  const { status, detail, remedy } = resultOf(report, "open-files");
  assert.equal(status, "limited");
  assert.match(detail, /^soft limit 364, hard limit 364: 100 live children/);
  assert.match(remedy ?? "", /ulimit/);
  return undefined;
});
