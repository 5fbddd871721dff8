// Launches into groups that fail: with a type and a reason, and without leaving
// anything.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { IsolationError, LaunchError, type Limits } from "pidpool";
import { givenGroup, groupsBeneath, noCgroups } from "../../helpers/cgroups.ts";
import { rejection } from "../../helpers/errors.ts";
import { program, tempDir } from "../../helpers/files.ts";
import { fixturePath, startFixture } from "../../helpers/fixture.ts";
import { AS_NOBODY, notNobody } from "../../helpers/nobody.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { childPids, openFds } from "../../helpers/processes.ts";

const LIMITS: Record<string, Limits> = {
  memory: { memory: 2 ** 26 },
  pids: { pids: 5 },
  cpu: { cpuMax: 0.5 },
  io: { io: [{ device: "8:0", readOps: 1 }] },
};

describe("launches into groups that fail", { skip: noCgroups }, () => {
  test("a program that cannot be started leaves no group behind its rejection", async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ cgroup });
    await pool.run("true");
    const script = program(tempDir(t), "script", "#!/nonexistent/interpreter\n");
    for (const file of ["/nonexistent", script]) {
      const { errno, stage } = await rejection(pool.run(file), LaunchError);
      assert.deepEqual([errno, stage, groupsBeneath(cgroup).length], ["ENOENT", "execve", 1]);
      await rejection(pool.spawn(file), LaunchError);
      assert.equal(groupsBeneath(cgroup).length, 1);
    }
    await rejection(pool.run("true", [], { cwd: "/nonexistent" }), LaunchError);
    assert.equal(groupsBeneath(cgroup).length, 1);
  });

  test("a missing controller is named, and what needs none goes on", async (t) => {
    const cgroup = await givenGroup(t);
    const available = readFileSync(join(cgroup, "cgroup.controllers"), "utf8").split(/\s+/);
    const missing = Object.entries(LIMITS).filter(([controller]) => !available.includes(controller));
    if (missing.length === 0) return t.skip(`${cgroup} has all controllers`);
    await using pool = new ProcessPool({ cgroup });
    await pool.run("true");
    const before = openFds();
    for (const [controller, limits] of missing) {
      for (const call of [() => pool.run("true", [], { limits }), () => pool.spawn("true", [], { limits })]) {
        const error = await rejection(call(), IsolationError);
        assert.deepEqual([error.code, error.stage], ["ERR_ISOLATION", "cgroup"]);
        assert.match(error.message, new RegExp(`lacks the controller ${controller} `));
        assert.equal(groupsBeneath(cgroup).length, 1);
      }
    }
    assert.deepEqual(openFds(), before);
    assert.equal((await pool.run("echo", ["on"])).stdout, "on\n");
    assert.equal(pool.stats().failed, 2 * missing.length);
  });

  test("what is no group is refused with its reason, and nothing was started for it", async (t) => {
    const dir = tempDir(t);
    await using pool = new ProcessPool();
    const file = program(dir, "file", "");
    for (const [cgroup, said] of [
      [dir, /is no directory of cgroup v2/],
      [file, /is no directory of cgroup v2/],
      [join(dir, "nothing"), /there is no cgroup .*ENOENT/],
      [join(file, "beneath"), /there is no cgroup .*ENOTDIR/],
      [join(await givenGroup(t), "cgroup.procs"), /cannot be made|may not make|is no directory/],
    ] as const) {
      const error = await rejection(pool.run("true", [], { cgroup }), IsolationError);
      assert.match(error.message, said);
      assert.deepEqual([error.code, error.stage, childPids()], ["ERR_ISOLATION", "cgroup", []]);
    }
    assert.equal((await pool.run("echo", ["on"])).stdout, "on\n");
  });

  test("one that this user may not write to is refused with the file", { skip: notNobody }, async (t) => {
    const cgroup = await givenGroup(t);
    const { stdout, stderr } = await startFixture("limited", [cgroup], AS_NOBODY).ended;
    assert.match(stdout, /^ERR_ISOLATION this user may not make children in the cgroup .*EACCES.*Delegate=yes/, stderr);
    assert.deepEqual(groupsBeneath(cgroup), []);
  });

  test("a container that hides clone3 is told apart from a program that fails", async () => {
    const { stdout, stderr } = await startFixture("docker-profile", [fixturePath("grouped-legacy")]).ended;
    assert.match(stdout, /^ERR_ISOLATION clone 1 .*starting it in its cgroup failed with ENOSYS.*seccomp/, stderr);
  });

  test("a group that is there later is used then", async (t) => {
    const cgroup = join(await givenGroup(t), "later");
    await using pool = new ProcessPool({ cgroup });
    await rejection(pool.run("true"), IsolationError);
    mkdirSync(cgroup);
    await pool.run("true");
    assert.equal(groupsBeneath(cgroup).length, 1);
  });

  test("a pool with no room for the guardian's launch makes it later", async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ threads: 1 });
    const long = Array.from({ length: 8 }, () => "x".repeat(120_000));
    const crowd = Array.from({ length: 60 }, () => pool.spawn("true", long, { stdio: "ignore" }));
    assert.equal((await pool.run("echo", ["in"], { cgroup })).stdout, "in\n");
    await Promise.all((await Promise.all(crowd)).map(({ exited }) => exited));
  });

  for (const mode of ["make", "first", "remove"]) {
    test(`fds that run out are waited for, in mode "${mode}"`, async (t) => {
      const cgroup = await givenGroup(t);
      const { stdout, stderr } = await startFixture("exhausted-groups", [mode, cgroup], ["prlimit", "--nofile=128"])
        .ended;
      assert.equal(stdout, "retried ok 1 group\n", stderr);
      assert.equal(stderr, "");
    });
  }
});
