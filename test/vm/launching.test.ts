// What differs between kernels and architectures in how children are launched,
// watched and reaped, once through: one pool for all, as an emulated machine
// is slow.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { IsolationError, LaunchError, ProcessPool, type ExitReport } from "pidpool";
import { LAUNCHER } from "#pidpool/native/layout.js";
import { landlockAbi } from "#pidpool/native/landlock.js";
import { native } from "#pidpool/native/load.js";
import type { Launcher } from "#pidpool/native/launcher.js";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { groupIn } from "../helpers/cgroups.ts";
import { rejection } from "../helpers/errors.ts";
import { tempDir } from "../helpers/files.ts";
import { dup2 } from "../helpers/libc.ts";
import { isAlive, until } from "../helpers/processes.ts";
import { outsideVm } from "../helpers/vm.ts";
import { said } from "../helpers/wait.ts";

const [major = 0, minor = 0] = release().split(".").map(Number);
const since = (wantedMajor: number, wantedMinor: number): boolean =>
  major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);

/** Takes the exits of every child in this process. */
function takeExits(): number {
  const WAIT4 = process.arch === "x64" ? 61 : 260;
  const WNOHANG = 1;
  return native().syscall(WAIT4, -1, 0, WNOHANG, 0, 0, 0);
}

describe("launching", { skip: outsideVm }, () => {
  let pool: ProcessPool;
  let launcher: Launcher;

  before(async () => {
    pool = new ProcessPool({ threads: 1, concurrency: 64, isolation: "none", check: false });
    await pool.run("true");
    const found = supervisorsOf(pool)?.all[0]?.launcher;
    assert.ok(found !== undefined);
    launcher = found;
  });

  after(() => pool.destroy());

  test("several children hang between clone and exec, others pass them, and each exec wakes its launcher", async (t) => {
    const dir = tempDir(t);
    /** A child whose open() for writing waits until somebody reads: it ends up between clone and exec. */
    const hang = (name: string): { letGo: () => Promise<void> } => {
      const file = join(dir, name);
      execFileSync("mkfifo", [file]);
      const run = pool.run("true", [], { stdio: ["ignore", { file }, "ignore"] });
      const letGo = async (): Promise<void> => {
        const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
        const { exit } = await run;
        closeSync(reader);
        assert.equal(exit.status === "exited" && exit.code, 0);
      };
      return { letGo };
    };
    // The launcher waits for a child in vfork's way where there is no other to start meanwhile: here, until all are queued.
    const first = hang("first");
    await until(() => launcher.pending === 1);
    const hanging = ["a", "b", "c"].map(hang);
    const others = Array.from({ length: 20 }, (_, i) => pool.run("sh", ["-c", `exit ${i}`], { stdio: "ignore" }));
    await until(() => launcher.pending === 24);
    await first.letGo();
    // One place of a launcher's four is left, for all others.
    for (const [i, run] of others.entries()) {
      const { exit } = await run;
      assert.equal(exit.status === "exited" && exit.code, i);
    }
    assert.equal(pool.stats().running, hanging.length);
    // The last first: each exec wakes a launcher that looks at the oldest launch.
    for (const { letGo } of hanging.toReversed()) await letGo();
    await until(() => launcher.pending === 0);
  });

  test("events bring their own child's token: 200 at once, each with its own code and output", async () => {
    const runs = Array.from({ length: 200 }, (_, i) => pool.run("sh", ["-c", `echo ${i}; exit ${i}`]));
    for (const [i, run] of runs.entries()) {
      const { exit, stdout } = await run;
      assert.deepEqual([exit.status === "exited" && exit.code, stdout], [i, `${i}\n`]);
    }
  });

  for (const way of ["clone3", "legacy clone"]) {
    test(`by ${way}: no fd, no signal and no handler of ours gets through, and failures tell their stage`, async (t) => {
      const header = launcher.region.header(LAUNCHER.legacy) ?? 0;
      launcher.region.setHeader(LAUNCHER.legacy, way === "clone3" ? 0 : 1);
      t.after(() => launcher.region.setHeader(LAUNCHER.legacy, header));
      const [low, high] = [63, 900];
      for (const fd of [low, high]) dup2(2, fd);
      t.after(() => [low, high].forEach((fd) => closeSync(fd)));
      const script = "echo /proc/self/fd/*; grep -E '^(SigBlk|SigIgn|SigCgt)' /proc/$$/status";
      const { stdout } = await pool.run("bash", ["-c", script]);
      // One more is the directory that the shell reads.
      const [fds, ...signals] = stdout.trimEnd().split("\n");
      assert.equal(fds, "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3");
      assert.deepEqual(
        signals.slice(0, 2).map((line) => line.split("\t")[1]),
        Array(2).fill("0".repeat(16)),
      );
      // The child's table was its own: ours is whole.
      assert.ok([low, high].every((fd) => existsSync(`/proc/self/fd/${fd}`)));
      const { stage, errno } = await rejection(pool.run("true", [], { cwd: "/nonexistent" }), LaunchError);
      assert.deepEqual([stage, errno], ["chdir", "ENOENT"]);
      const { exit } = await pool.run("sh", ["-c", "kill -USR1 $$"]);
      assert.equal(exit.status === "signaled" && exit.signal, "SIGUSR1");
    });
  }

  test("files are opened as asked: made, cut, appended to, read, and directories refused", async (t) => {
    const file = join(tempDir(t), "file");
    const write = async (text: string, append: boolean): Promise<string> => {
      await pool.run("echo", [text], { stdio: ["ignore", { file, append }, "ignore"] });
      return readFileSync(file, "latin1");
    };
    assert.equal(await write("one", false), "one\n");
    assert.equal(await write("two", true), "one\ntwo\n");
    assert.equal(await write("3", false), "3\n");
    assert.equal((await pool.run("cat", [], { input: { file } })).stdout, "3\n");
    const { errno } = await rejection(
      pool.run("true", [], { stdio: ["ignore", { file: "/" }, "ignore"] }),
      LaunchError,
    );
    assert.equal(errno, "EISDIR");
  });

  test("seccomp refuses what the profile refuses, and rules of one's own do", async () => {
    const script = "id -u; unshare -U true 2>/dev/null || echo refused";
    assert.equal((await pool.run("sh", ["-c", script], { seccomp: "default" })).stdout, "0\nrefused\n");
    assert.equal((await pool.run("sh", ["-c", script])).stdout.includes("refused"), false);
    const { exit } = await pool.run("cat", ["/etc/hosts"], {
      seccomp: { rules: [{ syscalls: ["openat"], action: "kill" }] },
    });
    assert.equal(exit.status === "signaled" && exit.signal, "SIGSYS");
    const { stdout } = await pool.run("sh", ["-c", "while read -r line; do echo $line; done"], {
      seccomp: "compute",
      input: "a line\n",
    });
    assert.equal(stdout, "a line\n");
  });

  test("rules for files hold, or the kernel is too old for them and nothing is started", async (t) => {
    const dir = tempDir(t);
    for (const name of ["open", "closed"]) {
      mkdirSync(join(dir, name));
      writeFileSync(join(dir, name, "file"), name);
    }
    const filesystem = {
      execute: ["/usr", "/bin", "/lib", "/lib64"].filter((path) => existsSync(path)),
      readOnly: [join(dir, "open")],
    };
    const look = (name: string) => pool.run("cat", [join(dir, name, "file")], { filesystem });
    if (landlockAbi() < 3) {
      const { message, remedy } = await rejection(look("open"), IsolationError);
      assert.match(message, /Landlock/);
      assert.match(remedy ?? "", /6\.2/);
      assert.ok(!since(6, 2));
      return;
    }
    assert.equal((await look("open")).stdout, "open");
    const { exit, stderr } = await look("closed");
    assert.deepEqual([exit.status === "exited" && exit.code, /Permission denied/.test(stderr)], [1, true]);
  });

  test("a tree in a group ends as a whole, with cgroup.kill or without", async () => {
    const child = await pool.spawn(
      "sh",
      ["-c", "cat /proc/self/cgroup; setsid sleep 1000 & setsid sh -c 'sleep 1000 & wait' & wait"],
      {
        limits: { pids: 20 },
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    const group = groupIn(await said(child.stdout, "\n"));
    assert.equal(existsSync(join(group, "cgroup.kill")), since(5, 14));
    const members = (): number[] => readFileSync(join(group, "cgroup.procs"), "latin1").trim().split("\n").map(Number);
    await until(() => members().length === 4);
    const all = members();
    child.kill("SIGKILL");
    await child.exited;
    assert.deepEqual([all.filter(isAlive), existsSync(group)], [[], false]);
  });

  test("a core dump is told", async (t) => {
    const pattern = readFileSync("/proc/sys/kernel/core_pattern");
    t.after(() => writeFileSync("/proc/sys/kernel/core_pattern", pattern));
    const cwd = tempDir(t);
    writeFileSync("/proc/sys/kernel/core_pattern", "core");
    const { exit } = await pool.run("sh", ["-c", "ulimit -c unlimited && kill -SEGV $$"], { cwd });
    assert.deepEqual(
      exit.status === "signaled" && [exit.signal, exit.coreDumped, exit.core?.where?.startsWith(join(cwd, "core"))],
      ["SIGSEGV", true, true],
    );
  });

  test("an exit that somebody else takes is told by the pidfd, or is unknown, and never wrong", async () => {
    const children = await Promise.all([...Array(20).keys()].map((i) => pool.spawn("sh", ["-c", `read x; exit ${i}`])));
    let taken = 0;
    const timer = setInterval(() => {
      while (takeExits() > 0) taken++;
    }, 0);
    for (const { stdin } of children) stdin.end("\n");
    const exits: ExitReport[] = await Promise.all(children.map(({ exited }) => exited));
    clearInterval(timer);
    for (const [i, exit] of exits.entries()) {
      if (exit.status === "unknown") assert.ok(!since(6, 15));
      else assert.deepEqual([exit.status, exit.status === "exited" && exit.code], ["exited", i]);
    }
    const unknown = exits.filter(({ status }) => status === "unknown").length;
    if (!since(6, 15)) assert.equal(unknown, taken);
  });
});
