import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { LaunchError } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { tempDir } from "../helpers/files.ts";
import { isDumpable } from "../helpers/libc.ts";
import { statFields } from "../helpers/processes.ts";
import { ProcessPool } from "../helpers/pool.ts";

/** Skips, with the reason, what an ordinary user may not do. */
function needsRoot(t: TestContext): boolean {
  const root = process.geteuid?.() === 0;
  if (!root) t.skip("needs root");
  return root;
}

/** The lines Uid, Gid, Groups of proc_pid_status(5), as numbers. */
function ids(status: string, name: string): number[] {
  const line = new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1] ?? "";
  return line
    .split(/\s+/)
    .filter((id) => id !== "")
    .map(Number);
}

const STATUS = ["/proc/self/status"];

test("uid and gid are the child's real, effective, saved and file system ids", async (t) => {
  if (!needsRoot(t)) return;
  await using pool = new ProcessPool();
  const { stdout } = await pool.run("cat", STATUS, { uid: 12345, gid: 23456 });
  assert.deepEqual(ids(stdout, "Uid"), [12345, 12345, 12345, 12345]);
  assert.deepEqual(ids(stdout, "Gid"), [23456, 23456, 23456, 23456]);
  assert.equal(/^CapEff:\s*0+$/m.test(stdout), true);
});

test("supplementary groups: as given, none where uid or gid is given, else the parent's", async (t) => {
  if (!needsRoot(t)) return;
  await using pool = new ProcessPool();
  const before = process.getgroups?.() ?? [];
  t.after(() => process.setgroups?.(before));
  process.setgroups?.([7, 8]);
  const groups = async (options: object): Promise<number[]> =>
    ids((await pool.run("cat", STATUS, options)).stdout, "Groups");
  assert.deepEqual(await groups({}), ids(readFileSync("/proc/self/status", "utf8"), "Groups"));
  assert.deepEqual(await groups({ uid: 12345 }), []);
  assert.deepEqual(await groups({ gid: 12345 }), []);
  assert.deepEqual(await groups({ groups: [] }), []);
  assert.deepEqual(await groups({ groups: [3, 1, 2] }), [1, 2, 3]);
  assert.deepEqual(await groups({ uid: 12345, gid: 6, groups: [9, 10] }), [9, 10]);
});

test("a launch with uid leaves this process its ids and its dumpable flag", async (t) => {
  if (!needsRoot(t)) return;
  await using pool = new ProcessPool({ threads: 2, concurrency: 16 });
  const see = (): unknown => [process.getuid?.(), process.getgid?.(), isDumpable()];
  const before = see();
  assert.equal(isDumpable(), true);
  await pool.run("true", [], { uid: 12345 });
  assert.deepEqual(see(), before);
  await rejection(pool.run("/nonexistent", [], { uid: 12345, gid: 12345 }), LaunchError);
  assert.deepEqual(see(), before);
  // Two launcher threads at once.
  await Promise.all(Array.from({ length: 200 }, () => pool.run("true", [], { uid: 12345 })));
  assert.deepEqual(see(), before);
});

test("without root, another uid, gid or group is refused with the reason", async (t) => {
  if (process.geteuid?.() !== 0) return t.skip("needs root, to become nobody first");
  // A child that is nobody uses the library.
  await using pool = new ProcessPool();
  const dist = new URL(import.meta.resolve("pidpool"));
  const nobody = { uid: 65534, gid: 65534, cwd: "/" };
  const reachable = ["-r", fileURLToPath(dist), "-a", "-x", process.execPath];
  const { exit } = await pool.run("test", reachable, { ...nobody, check: false });
  if (exit.status === "exited" && exit.code !== 0) return t.skip("needs a checkout and a node that nobody can reach");
  const script = `
    import { ProcessPool } from ${JSON.stringify(dist.href)};
    const pool = new ProcessPool({ isolation: "none" });
    for (const options of [{ uid: 0 }, { gid: 0, groups: undefined }, { nice: -5 }]) {
      await pool.run("true", [], options).catch(({ message, stage, errno }) => console.log([stage, errno, message].join("|")));
    }
    console.log((await pool.run("id", ["-u"])).stdout.trim());
    await pool.destroy();`;
  const { stdout } = await pool.run(process.execPath, ["--input-type=module", "-e", script], nobody);
  const lines = stdout.trim().split("\n");
  assert.match(
    lines[0] ?? "",
    /^setgroups\|EPERM\|cannot start "true": this process may not change the child's groups \(CAP_SETGID is needed\)/,
  );
  assert.match(lines[1] ?? "", /^setgroups\|EPERM\|/);
  assert.match(
    lines[2] ?? "",
    /^nice\|EACCES\|cannot start "true": a lower niceness than the parent's needs CAP_SYS_NICE/,
  );
  assert.equal(lines[3], "65534");
});

test("umask is the child's own, by default the parent's", async (t) => {
  await using pool = new ProcessPool();
  const dir = tempDir(t);
  const before = process.umask(0o027);
  t.after(() => process.umask(before));
  assert.equal((await pool.run("sh", ["-c", "umask"])).stdout.trim(), "0027");
  assert.equal((await pool.run("sh", ["-c", "umask"], { umask: 0 })).stdout.trim(), "0000");
  await pool.run("touch", ["file"], { cwd: dir, umask: 0o077 });
  assert.equal(statSync(join(dir, "file")).mode & 0o777, 0o600);
  // Setting it tells what it was.
  assert.equal(process.umask(0o027), 0o027);
});

test("nice is the child's own, by default the parent's", async (t) => {
  await using pool = new ProcessPool();
  const nice = async (options: { nice?: number }): Promise<number> =>
    Number(statFields((await pool.run("cat", ["/proc/self/stat"], options)).stdout)[16]);
  assert.equal(await nice({ nice: 7 }), 7);
  assert.equal(await nice({ nice: 19 }), 19);
  assert.equal(await nice({}), Number(statFields(readFileSync("/proc/self/stat", "utf8"))[16]));
  if (!needsRoot(t)) return;
  const capabilities = BigInt(`0x${/^CapEff:\t(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]}`);
  const CAP_SYS_NICE = 1n << 23n;
  if ((capabilities & CAP_SYS_NICE) === 0n) return t.skip("lower niceness needs CAP_SYS_NICE");
  assert.equal(await nice({ nice: -3 }), -3);
});

test("session: a session, a process group, or neither of its own", async () => {
  await using pool = new ProcessPool();
  const own = statFields(readFileSync("/proc/self/stat", "utf8"));
  const see = async (session?: boolean | "group"): Promise<{ pid: number; pgid: number; sid: number }> => {
    const { pid, stdout } = await pool.run("cat", ["/proc/self/stat"], { session });
    const [, , pgid, sid] = statFields(stdout);
    return { pid, pgid: Number(pgid), sid: Number(sid) };
  };
  const plain = await see();
  assert.deepEqual([plain.pgid, plain.sid], [Number(own[2]), Number(own[3])]);
  assert.deepEqual(await see(false).then(({ pgid, sid }) => [pgid, sid]), [plain.pgid, plain.sid]);
  const group = await see("group");
  assert.deepEqual([group.pgid, group.sid], [group.pid, plain.sid]);
  const session = await see(true);
  assert.deepEqual([session.pgid, session.sid], [session.pid, session.pid]);
});
