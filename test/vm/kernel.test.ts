// What the VMs are, and that the library works there at all.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { ExitError, LaunchError, ProcessPool } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { outsideVm, vmKernel } from "../helpers/vm.ts";

const CGROUPS = "/sys/fs/cgroup";
const CONTROLLERS = ["cpu", "io", "memory", "pids"];
const BUSYBOX = "/bin/busybox";

/** The words of a file in a control group. */
function words(...path: string[]): string[] {
  return readFileSync(join(CGROUPS, ...path), "utf8")
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** A new control group with these limits, by its path. Its members have to be gone when the test ends. */
function cgroup(t: TestContext, name: string, limits: Readonly<Record<string, string>>): string {
  const path = join(CGROUPS, name);
  mkdirSync(path);
  t.after(() => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) rmdirSync(join(path, entry.name));
    }
    rmdirSync(path);
  });
  for (const [file, value] of Object.entries(limits)) writeFileSync(join(path, file), value);
  return path;
}

/** Arguments for busybox that run a shell script which has entered a control group. */
function inside(path: string, script: string): string[] {
  return ["sh", "-c", `echo $$ >"$0"; ${script}`, join(path, "cgroup.procs")];
}

describe("the VM", { skip: outsideVm }, () => {
  test("has the kernel that was asked for", () => {
    assert.ok(release().startsWith(`${vmKernel}.`), release());
  });

  test("has cgroup v2 alone, with controllers that it delegates down", (t) => {
    assert.match(readFileSync("/proc/self/cgroup", "utf8"), /^0::\/\n$/);
    for (const controller of CONTROLLERS) assert.ok(words("cgroup.controllers").includes(controller), controller);
    assert.deepEqual(words("cgroup.subtree_control").toSorted(), CONTROLLERS);
    const path = cgroup(t, "delegated", { "cgroup.subtree_control": CONTROLLERS.map((name) => `+${name}`).join(" ") });
    mkdirSync(join(path, "leaf"));
    assert.deepEqual(words("delegated", "leaf", "cgroup.controllers").toSorted(), CONTROLLERS);
    for (const limit of ["cpu.max", "io.max", "memory.max", "pids.max"]) {
      assert.doesNotThrow(() => readFileSync(join(path, "leaf", limit)), limit);
    }
  });

  test("has controllers that enforce their limits", async (t) => {
    await using pool = new ProcessPool();
    const small = cgroup(t, "small", { "memory.max": `${16 * 2 ** 20}` });
    const big = await rejection(pool.run(BUSYBOX, inside(small, "exec busybox tail /dev/zero")), ExitError);
    assert.equal(big.exit.status === "signaled" && big.exit.signal, "SIGKILL");
    assert.match(readFileSync(join(small, "memory.events"), "utf8"), /^oom_kill 1$/m);

    const single = cgroup(t, "single", { "pids.max": "1" });
    await rejection(pool.run(BUSYBOX, inside(single, "busybox true; exit 0")), ExitError);
    assert.match(readFileSync(join(single, "pids.events"), "utf8"), /^max [1-9]/m);
  });
});

describe("in the VM", { skip: outsideVm }, () => {
  test("programs run, with their input, output and exit codes", async () => {
    await using pool = new ProcessPool();
    assert.equal((await pool.run(BUSYBOX, ["cat"], { input: "some text" })).stdout, "some text");
    assert.equal((await pool.run(BUSYBOX, ["uname", "-r"])).stdout, `${release()}\n`);
    const codes = await Promise.all(
      [0, 1, 42, 255].map(async (code) => {
        const { exit } = await pool.run(BUSYBOX, ["sh", "-c", `exit ${code}`], { check: false });
        return exit.status === "exited" && exit.code;
      }),
    );
    assert.deepEqual(codes, [0, 1, 42, 255]);
  });

  test("a program that does not exist is a LaunchError, and a signal that ends one is told", async () => {
    await using pool = new ProcessPool();
    const { errno } = await rejection(pool.run("/nonexistent"), LaunchError);
    assert.equal(errno, "ENOENT");
    const { exit } = await rejection(pool.run(BUSYBOX, ["sh", "-c", "kill -TERM $$"]), ExitError);
    assert.equal(exit.status === "signaled" && exit.signal, "SIGTERM");
  });

  test("many at once all end", async () => {
    await using pool = new ProcessPool({ concurrency: 32 });
    await Promise.all(Array.from({ length: 300 }, () => pool.run(BUSYBOX, ["true"], { stdio: "ignore" })));
    assert.equal(pool.stats().completed, 300);
  });
});
