import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ExitError, InvalidOptionError, type Limits } from "pidpool";
import { ConfinementWriter } from "#pidpool/process/confinement.js";
import { writeLimits, type OwnLimits, type RlimitKey } from "#pidpool/process/limits.js";
import { rejection } from "../helpers/errors.ts";
import { tempDir } from "../helpers/files.ts";
import { startFixture } from "../helpers/fixture.ts";
import { hasCommands } from "../helpers/processes.ts";
import { said } from "../helpers/wait.ts";
import { ProcessPool } from "../helpers/pool.ts";

/** [soft, hard] of a line of /proc/<pid>/limits. */
function limitLine(limits: string, name: string): string[] {
  const line = limits.split("\n").find((one) => one.startsWith(name)) ?? "";
  return line.slice(name.length).trim().split(/\s+/).slice(0, 2);
}

const LINES = {
  cpuSeconds: "Max cpu time",
  addressSpace: "Max address space",
  dataBytes: "Max data size",
  fileSize: "Max file size",
  openFiles: "Max open files",
  processes: "Max processes",
  stack: "Max stack size",
  core: "Max core file size",
} as const satisfies Record<RlimitKey, string>;
const KEYS = Object.keys(LINES) as RlimitKey[];

test("each limit is the child's soft and hard one; cpuSeconds is rounded up and has a second more", async () => {
  await using pool = new ProcessPool();
  const limits: Limits = {
    cpuSeconds: 7.2,
    addressSpace: 2 ** 31 + 2 ** 33,
    dataBytes: 2 ** 30,
    fileSize: 12345,
    openFiles: 32,
    processes: 77,
    stack: 2 ** 20,
    core: 0,
  };
  const { stdout } = await pool.run("cat", ["/proc/self/limits"], { limits });
  for (const key of KEYS) {
    const expected = key === "cpuSeconds" ? ["8", "9"] : [String(limits[key]), String(limits[key])];
    assert.deepEqual(limitLine(stdout, LINES[key]), expected, key);
  }
});

test("what is not given is inherited; ours stay what they were", async () => {
  await using pool = new ProcessPool();
  const before = readFileSync("/proc/self/limits", "utf8");
  const { stdout } = await pool.run("cat", ["/proc/self/limits"], { limits: { core: 0, stack: undefined } });
  for (const key of KEYS) {
    if (key !== "core") assert.deepEqual(limitLine(stdout, LINES[key]), limitLine(before, LINES[key]), key);
  }
  assert.equal(readFileSync("/proc/self/limits", "utf8"), before);
  const none = await pool.run("cat", ["/proc/self/limits"], { limits: {} });
  assert.equal(none.stdout, before);
});

test("a pool's limits hold until a launch has its own; both are copies", async () => {
  const limits = { openFiles: 40, core: 0 };
  await using pool = new ProcessPool({ limits });
  limits.openFiles = 50;
  const openFiles = async (options: { limits?: Limits } = {}): Promise<string> =>
    (await pool.run("sh", ["-c", "ulimit -n"], options)).stdout.trim();
  assert.equal(await openFiles(), "40");
  assert.equal(await openFiles({ limits: { openFiles: 30 } }), "30");
  assert.equal(
    await openFiles({ limits: {} }),
    limitLine(readFileSync("/proc/self/limits", "utf8"), LINES.openFiles)[0],
  );
  const own = { openFiles: 20 };
  const command = pool.command("sh", ["-c", "ulimit -n"], { limits: own });
  own.openFiles = 21;
  assert.equal((await command.run()).stdout, "20\n");
  assert.equal((await command.run({ nice: 1 })).stdout, "20\n");
  assert.equal((await command.run({ timeout: 60_000 })).stdout, "20\n");
  assert.equal((await command.run({ limits: { openFiles: 22 } })).stdout, "22\n");
});

const BURN = "while :; do :; done";

test("a child that burns CPU gets SIGXCPU, and the reason is cpu-limit", async () => {
  await using pool = new ProcessPool();
  const script = "for (let t; t = process.cpuUsage(), t.user + t.system < 1.3e6; ); console.log('done')";
  const burn = async (limits?: Limits): Promise<string> =>
    (await pool.run(process.execPath, ["-e", script], { limits })).stdout;
  assert.equal(await burn(), "done\n");
  const error = await rejection(burn({ cpuSeconds: 1 }), ExitError);
  const { exit } = error;
  assert.deepEqual([exit.reason, exit.status === "signaled" && exit.signal], ["cpu-limit", "SIGXCPU"]);
  assert.match(error.message, /used more CPU time than limits\.cpuSeconds allows \(was killed by SIGXCPU/);
});

test("one that ignores SIGXCPU gets SIGKILL, for the same reason", async () => {
  await using pool = new ProcessPool();
  const { exit } = await pool.run("sh", ["-c", `trap '' XCPU; ${BURN}`], { limits: { cpuSeconds: 1 }, check: false });
  assert.deepEqual([exit.reason, exit.status === "signaled" && exit.signal], ["cpu-limit", "SIGKILL"]);
});

test("one that catches SIGXCPU may end as it likes, and that is what is reported", async () => {
  await using pool = new ProcessPool();
  const script = `trap 'echo caught; exit 3' XCPU; ${BURN}`;
  const { exit, stdout } = await pool.run("sh", ["-c", script], { limits: { cpuSeconds: 1 }, check: false });
  assert.deepEqual([exit.reason, exit.status === "exited" && exit.code, stdout], ["exit", 3, "caught\n"]);
});

test("a signal of ours is no limit, nor is an end by timeout", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("sh", ["-c", "echo ready; exec cat"], { limits: { cpuSeconds: 1 } });
  await said(child.stdout, "ready");
  assert.equal(child.kill("SIGXCPU"), true);
  const killed = await child.exited;
  assert.deepEqual([killed.reason, killed.status === "signaled" && killed.signal], ["signal", "SIGXCPU"]);
  const late = await pool.run("sh", ["-c", BURN], {
    limits: { cpuSeconds: 60 },
    timeout: 1,
    killSignal: "SIGXCPU",
    check: false,
  });
  assert.equal(late.exit.reason, "timeout");
});

test("a child that writes beyond fileSize gets SIGXFSZ, or EFBIG where it ignores that", async (t) => {
  await using pool = new ProcessPool();
  const file = join(tempDir(t), "out");
  const write = async (limits: Limits | undefined, trap = ""): ReturnType<typeof pool.run> =>
    pool.run("sh", ["-c", `${trap}head -c 100000 /dev/zero`], {
      stdio: ["ignore", { file }, "capture"],
      limits,
      check: false,
    });
  assert.deepEqual((await write(undefined)).exit.reason, "exit");
  assert.equal(statSync(file).size, 100_000);
  const { exit } = await write({ fileSize: 8192 }, "exec ");
  assert.deepEqual([exit.reason, exit.status === "signaled" && exit.signal], ["file-size-limit", "SIGXFSZ"]);
  assert.equal(statSync(file).size, 8192);
  const ignoring = await write({ fileSize: 8192 }, "trap '' XFSZ; exec ");
  assert.deepEqual([ignoring.exit.reason, ignoring.exit.status], ["exit", "exited"]);
  assert.match(ignoring.stderr?.toString() ?? "", /large/);
  assert.equal(statSync(file).size, 8192);
});

/** Opens fds until that fails; says how many it has, and why. */
const OPEN_MANY = `
  const fs = require("node:fs"), fds = [];
  try { for (let i = 0; i < 200; i++) fds.push(fs.openSync("/dev/null")); console.log("all"); }
  catch (error) { console.log(error.code, fds.at(-1)); }`;

test("openFiles: EMFILE at the limit", async () => {
  await using pool = new ProcessPool();
  const node = async (limits?: Limits): Promise<string> =>
    (await pool.run(process.execPath, ["-e", OPEN_MANY], { limits })).stdout;
  assert.equal(await node(), "all\n");
  assert.equal(await node({ openFiles: 64 }), "EMFILE 63\n");
});

test("processes: a fork bomb of an ordinary user comes to nothing", async (t) => {
  if (process.geteuid?.() !== 0) return t.skip("needs root, for a user that has no other processes");
  await using pool = new ProcessPool();
  const uid = 54_321;
  // Each waits for the end of the same pipe, so all are there together.
  const script = "exec 3<&0; i=0; while [ $i -lt 20 ]; do sh -c 'read x' <&3 & i=$((i+1)); done; echo all there";
  const bomb = async (limits?: Limits): Promise<string> => {
    const child = await pool.spawn("sh", ["-c", `exec 2>&1; ${script}; wait`], { uid, gid: uid, limits });
    const all = await said(child.stdout, "\n");
    child.stdin.end();
    await child.exited;
    return all;
  };
  assert.equal(await bomb(), "all there\n");
  const refused = await bomb({ processes: 5 });
  assert.match(refused, /fork/);
  assert.doesNotMatch(refused, /all there/);
});

test("addressSpace and dataBytes: memory is refused, and ours are untouched", async (t) => {
  if (!hasCommands("perl")) return t.skip("needs perl");
  await using pool = new ProcessPool();
  const allocate = async (limits?: Limits): Promise<boolean> => {
    const { exit } = await pool.run("perl", ["-e", "my $x = 'x' x (128 << 20); print length $x"], {
      limits,
      check: false,
    });
    return exit.status === "exited" && exit.code === 0;
  };
  assert.equal(await allocate(), true);
  assert.equal(await allocate({ addressSpace: 64 * 2 ** 20 }), false);
  assert.equal(await allocate({ dataBytes: 64 * 2 ** 20 }), false);
  assert.equal(await allocate({ addressSpace: 512 * 2 ** 20, dataBytes: 512 * 2 ** 20 }), true);
});

test("stack: what needs more is killed, and arguments may fill a quarter of it", async () => {
  await using pool = new ProcessPool();
  const args = Array.from({ length: 3 }, () => "x".repeat(100_000));
  const length = async (limits?: Limits): Promise<unknown> => pool.run("true", args, { limits, env: {} });
  await length();
  await length({ stack: 4 * 2 ** 20 });
  const error = await rejection(length({ stack: 2 ** 20 }), Error);
  assert.match(
    error.message,
    /environment together are too long: there is room for 262144 bytes \(a quarter of limits\.stack, .*\(execve: E2BIG\)$/,
  );
  const { exit } = await pool.run("true", [], { limits: { stack: 4096 }, check: false });
  assert.equal(exit.status, "signaled");
});

test("core: 0 leaves none", async (t) => {
  const pattern = readFileSync("/proc/sys/kernel/core_pattern", "utf8").trim();
  if (pattern.startsWith("|") || pattern.includes("/")) return t.skip(`core dumps go elsewhere here (${pattern})`);
  await using pool = new ProcessPool();
  const cwd = tempDir(t);
  const abort = async (core: number): Promise<boolean> => {
    const { exit } = await pool.run("sh", ["-c", "kill -ABRT $$"], { cwd, limits: { core }, check: false });
    return exit.status === "signaled" && exit.coreDumped;
  };
  assert.equal(await abort(0), false);
  assert.deepEqual(readdirSync(cwd), []);
  const hard = limitLine(readFileSync("/proc/self/limits", "utf8"), LINES.core)[1];
  if (hard !== "unlimited") return t.skip(`the hard limit of core dumps is ${hard} here, so none can be had`);
  assert.equal(await abort(Infinity), true);
  assert.equal(readdirSync(cwd).length, 1);
});

test("a limit above the hard one is refused before launch, and one at it is had", async () => {
  const wanted = [
    { openFiles: 501 },
    { openFiles: "Infinity" },
    { cpuSeconds: 600 },
    { cpuSeconds: "Infinity" },
    { openFiles: 500, cpuSeconds: 599 },
  ];
  const { code, stdout, stderr } = await startFixture("hard-limit", [JSON.stringify(wanted)]).ended;
  assert.equal(code, 0, stderr);
  const [files, noFiles, cpu, noCpu, had] = JSON.parse(stdout) as { code: string; option: string; message: string }[];
  for (const error of [files, noFiles]) {
    assert.deepEqual([error?.code, error?.option], ["ERR_INVALID_OPTION", "limits.openFiles"]);
    assert.match(
      error?.message ?? "",
      /^limits\.openFiles is (501|Infinity); .* at most 500 fds \(RLIMIT_NOFILE\); .*ulimit -Hn, LimitNOFILE= .*CAP_SYS_RESOURCE$/,
    );
  }
  for (const error of [cpu, noCpu]) {
    assert.deepEqual([error?.code, error?.option], ["ERR_INVALID_OPTION", "limits.cpuSeconds"]);
    assert.match(error?.message ?? "", /at most 599 seconds \(RLIMIT_CPU\)/);
  }
  assert.deepEqual(had, "600\n500\n");
});

test("with CAP_SYS_RESOURCE only the system's own bound is left", () => {
  const own = (mayRaise: boolean): OwnLimits => ({
    hard: () => 100n,
    mayRaise: () => mayRaise,
    maxOpenFiles: () => 1000n,
  });
  const write = (limits: Limits, mayRaise: boolean): unknown => {
    try {
      return writeLimits(new ConfinementWriter(), limits, own(mayRaise))[0]?.hard;
    } catch (error) {
      assert.ok(error instanceof InvalidOptionError);
      return error.message;
    }
  };
  assert.equal(write({ stack: 100 }, false), 100n);
  assert.match(String(write({ stack: 101 }, false)), /at most 100 bytes/);
  assert.equal(write({ stack: 101 }, true), 101n);
  assert.equal(write({ stack: Infinity }, true), 2n ** 64n - 1n);
  assert.equal(write({ openFiles: 1000 }, true), 1000n);
  assert.match(String(write({ openFiles: 1001 }, true)), /system allows at most 1000 fds; .*fs\.nr_open/);
  assert.match(String(write({ openFiles: Infinity }, true)), /fs\.nr_open/);
});

test("each wrong value is named, and nothing is started", async () => {
  await using pool = new ProcessPool();
  const cases: [limits: unknown, option: string, allowed: RegExp][] = [
    [null, "limits", /leave it out/],
    [5, "limits", /an object/],
    [[5], "limits", /an object/],
    ["64m", "limits", /an object/],
    [{ openFile: 5 }, "limits.openFile", /no such option; there are cpuSeconds/],
    [{ cpuSeconds: 0 }, "limits.cpuSeconds", /above 0/],
    [{ cpuSeconds: 2 ** 31 }, "limits.cpuSeconds", /at most 2147483647, or Infinity/],
  ];
  for (const key of KEYS) {
    for (const value of [NaN, -1, -Infinity, "5", 5n, true, {}, []])
      cases.push([{ [key]: value }, `limits.${key}`, /it must be/]);
    cases.push([{ [key]: null }, `limits.${key}`, /leave it out/]);
    if (key !== "cpuSeconds") cases.push([{ [key]: 0.5 }, `limits.${key}`, /a whole number of/]);
    if (key !== "cpuSeconds") cases.push([{ [key]: 2 ** 53 }, `limits.${key}`, /a whole number of/]);
  }
  for (const [limits, option, allowed] of cases) {
    const error = await rejection(pool.run("true", [], { limits: limits as Limits }), InvalidOptionError);
    assert.equal(error.option, option);
    assert.match(error.message, allowed);
    assert.throws(() => new ProcessPool({ limits: limits as Limits }), { code: "ERR_INVALID_OPTION", option });
  }
  assert.deepEqual(pool.stats().supervisors, []);
});
