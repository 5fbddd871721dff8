// The limits of whole trees, through pools, on a machine that has the controllers.
import assert from "node:assert/strict";
import { chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  ExitError,
  explain,
  InvalidOptionError,
  IsolationError,
  LaunchError,
  ProcessPool,
  type LaunchOptions,
} from "pidpool";
import { cgroupRoot, groupIn, killWithoutFile, scratchGroup } from "../helpers/cgroups.ts";
import { crash } from "../helpers/crash.ts";
import { rejection } from "../helpers/errors.ts";
import { startFixture } from "../helpers/fixture.ts";
import { AS_NOBODY } from "../helpers/nobody.ts";
import { until } from "../helpers/processes.ts";
import { outsideVm } from "../helpers/vm.ts";
import { said } from "../helpers/wait.ts";

const MIB = 2 ** 20;
const memory = 32 * MIB;
const HOG = `dd if=/dev/zero of=/dev/null bs=${16 * memory} count=1`;
/** Forks until that fails, and then fails itself. */
const BOMB = "bomb() { bomb & bomb; }; bomb";

const sh = (pool: ProcessPool, script: string, options: LaunchOptions): Promise<ExitError> =>
  rejection(pool.run("sh", ["-c", script], { ...options, encoding: "utf8" }), ExitError);

describe("limits of trees", { skip: outsideVm }, () => {
  test("who needs more memory dies of it, with all its tree, and nobody else", async () => {
    await using pool = new ProcessPool();
    const sibling = await pool.spawn("sh", ["-c", "read line"], {
      limits: { memory },
      stdio: ["pipe", "pipe", "pipe"],
    });
    for (const script of [`exec ${HOG}`, `${HOG}; exit 0`, `sh -c '${HOG}; exit 0'; exit 0`]) {
      const { exit, message } = await sh(pool, script, { limits: { memory } });
      assert.deepEqual([exit.reason, exit.status === "signaled" && exit.signal], ["memory-limit", "SIGKILL"]);
      assert.match(message, /used more memory than limits\.memory allows/);
    }
    sibling.stdin.end();
    assert.equal((await sibling.exited).reason, "exit");
  });

  test("the report says which limit it was, and what the group counted", async () => {
    await using pool = new ProcessPool({ limits: { memory, pids: 20 } });
    const hog = (await sh(pool, `exec ${HOG}`, {})).exit;
    assert.deepEqual([hog.limit, hog.stopped], [{ name: "memory", value: memory }, null]);
    assert.ok((hog.cgroup?.oom ?? 0) > 0 && (hog.cgroup?.oomKills ?? 0) > 0);
    // Linux 5.19
    const peak = hog.cgroup?.memoryPeak ?? null;
    if (peak !== null) assert.ok(peak > memory / 2 && peak <= memory, String(peak));
    assert.match(explain(hog), /limits\.memory is 32 MiB; ran .*OOM kill/);
    const bomb = (await sh(pool, BOMB, {})).exit;
    assert.deepEqual(bomb.limit, { name: "pids", value: 20 });
    assert.ok((bomb.cgroup?.pidsMet ?? 0) > 0);
    const fine = (await pool.run("true")).exit;
    assert.deepEqual([fine.limit, fine.cgroup?.oomKills, fine.cgroup?.pidsMet], [null, 0, 0]);
  });

  test("under every level of isolation, and as another user", async () => {
    await using pool = new ProcessPool({ limits: { memory, pids: 20 } });
    const options: LaunchOptions[] = [
      { isolation: "none" },
      { isolation: "contained" },
      { isolation: "private" },
      { isolation: { pid: "private" } },
      { uid: 65534, gid: 65534 },
    ];
    for (const option of options) {
      assert.equal((await sh(pool, HOG, option)).exit.reason, "memory-limit", JSON.stringify(option));
      assert.equal((await sh(pool, BOMB, option)).exit.reason, "pids-limit", JSON.stringify(option));
      await pool.run("true", [], option);
    }
  });

  test("a fork bomb meets its limit, and siblings go on", async () => {
    await using pool = new ProcessPool();
    const sibling = await pool.spawn("cat", [], { limits: { pids: 20 }, stdio: ["pipe", "pipe", "pipe"] });
    const { exit, message } = await sh(pool, BOMB, { limits: { pids: 20 } });
    assert.deepEqual([exit.reason, exit.status], ["pids-limit", "exited"]);
    assert.match(message, /met limits\.pids and failed/);
    sibling.stdin.end("still here");
    assert.equal(await said(sibling.stdout, "here"), "still here");
    assert.equal((await sibling.exited).reason, "exit");
    // A limit that was met is no reason where the child copes.
    const coped = await pool.run("sh", ["-c", `(${BOMB}) 2>&1; exit 0`], { limits: { pids: 20 } });
    assert.equal(coped.exit.reason, "exit");
  });

  test("CPU time is held back, and weighed", async () => {
    await using pool = new ProcessPool();
    const child = await pool.spawn("sh", ["-c", "cat /proc/self/cgroup; while :; do :; done"], {
      limits: { cpuMax: 0.1, cpuWeight: 50 },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const group = groupIn(await said(child.stdout, "\n"));
    assert.equal(readFileSync(join(group, "cpu.max"), "latin1"), "10000 100000\n");
    assert.equal(readFileSync(join(group, "cpu.weight"), "latin1"), "50\n");
    await until(() => /throttled_usec [1-9]/.test(readFileSync(join(group, "cpu.stat"), "latin1")));
    child.kill("SIGKILL", { tree: true });
    assert.equal((await child.exited).reason, "signal");
    assert.equal(existsSync(group), false);
  });

  test("a device that is none is refused", async () => {
    await using pool = new ProcessPool();
    for (const device of ["/proc", "999:999", "/nonexistent"]) {
      const error = await rejection(pool.run("true", [], { limits: { io: [{ device, readOps: 1 }] } }), IsolationError);
      assert.match(error.message, /limits\.io/);
    }
  });

  test("arguments that do not fit are a failed launch, not our end", async () => {
    await using pool = new ProcessPool({ limits: { memory: MIB } });
    const long = Array.from({ length: 12 }, () => "x".repeat(100_000));
    for (const isolation of ["none", "shared", "contained"] as const) {
      const { stage } = await rejection(pool.run("true", long, { isolation }), LaunchError);
      assert.equal(stage, "execve", isolation);
    }
    const { option } = await rejection(pool.run("true", long, { isolation: "private" }), InvalidOptionError);
    assert.equal(option, "limits.memory");
  });

  test("an ordinary user sets limits in what was delegated to it", async (t) => {
    const outer = await cgroupRoot(t);
    await outer.removeGroup(
      await outer.createGroup({
        parent: undefined,
        survivors: "kill",
        settings: (["memory", "pids"] as const).map((controller) => ({
          controller,
          file: `${controller}.max`,
          value: "max",
          device: undefined,
          optional: false,
        })),
      }),
    );
    const unit = scratchGroup(outer, "app.service");
    mkdirSync(join(unit, "main"));
    for (const dir of [unit, join(unit, "main")]) {
      for (const file of ["", "cgroup.procs", "cgroup.subtree_control"]) chownSync(join(dir, file), 65534, 65534);
    }
    const enter = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', join(unit, "main", "cgroup.procs")];
    const { stdout, stderr } = await startFixture("limited", ["limits", HOG, BOMB], [...enter, ...AS_NOBODY]).ended;
    assert.equal(stdout, "memory-limit pids-limit\n", stderr);
  });

  test("SIGKILL of Node leaves neither process nor group", { skip: killWithoutFile }, async (t) => {
    await crash(t, 3, 60_000);
  });
});
