import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "../helpers/files.ts";
import { dup2, ignoreSignal } from "../helpers/libc.ts";
import { ProcessPool } from "../helpers/pool.ts";

/** The child's fds, ascending, with where they lead, from `ls -l /proc/self/fd`; without the directory that ls reads. */
function parseFds(listing: string): Map<number, string> {
  const entries = [...listing.matchAll(/ (\d+) -> (.*)$/gm)].filter(([, , to]) => !/^\/proc\/\d+\/fd$/.test(to ?? ""));
  const fds = entries.map(([, fd, to]): [number, string] => [Number(fd), to ?? ""]);
  return new Map(fds.toSorted(([a], [b]) => a - b));
}

const LS = ["-l", "/proc/self/fd"];

test("a child has its standard streams and no other fd", async () => {
  await using pool = new ProcessPool();
  const fds = parseFds((await pool.run("ls", LS)).stdout);
  assert.deepEqual([...fds.keys()], [0, 1, 2]);
  assert.equal(fds.get(0), "/dev/null");
  assert.match(fds.get(1) ?? "", /^pipe:/);
  assert.match(fds.get(2) ?? "", /^pipe:/);
  assert.notEqual(fds.get(1), fds.get(2));
});

test("fds of this process without close-on-exec do not reach a child, low or high", async (t) => {
  await using pool = new ProcessPool();
  const fd = openSync(join(tempDir(t), "open"), "w");
  const leaks = [40, 63, 64, 65, 100, 255, 256, 900].map((number) => dup2(fd, number));
  t.after(() => [fd, ...leaks].forEach(closeSync));
  assert.deepEqual(leaks, [40, 63, 64, 65, 100, 255, 256, 900]);
  assert.deepEqual([...parseFds((await pool.run("ls", LS)).stdout).keys()], [0, 1, 2]);
  const child = await pool.spawn("ls", LS, { stdio: ["pipe", "capture", "pipe", undefined, "pipe"] });
  assert.deepEqual([...parseFds((await child.result).stdout as string).keys()], [0, 1, 2, 4]);
});

test("an fd given by number reaches the child, wherever it is here", async (t) => {
  await using pool = new ProcessPool();
  const file = join(tempDir(t), "open");
  const fd = openSync(file, "w");
  // More high ones than a launcher keeps low fds for.
  const high = [70, 71, 300, 400, 500, 600, 700].map((number) => dup2(fd, number));
  t.after(() => [fd, ...high].forEach(closeSync));
  const stdio = ["ignore", "capture", "capture", ...high, null, fd] as const;
  const fds = parseFds((await pool.run("ls", LS, { stdio })).stdout);
  const expected = [3, 4, 5, 6, 7, 8, 9, 11];
  assert.deepEqual(
    [...fds.keys()].filter((n) => n > 2),
    expected,
  );
  for (const number of expected) assert.equal(fds.get(number), file);
});

test("children launched at the same time do not get each other's pipes", async () => {
  await using pool = new ProcessPool({ concurrency: 16, threads: 2 });
  const runs = Array.from({ length: 48 }, () => pool.run("ls", LS));
  for (const { stdout } of await Promise.all(runs)) assert.deepEqual([...parseFds(stdout).keys()], [0, 1, 2]);
});

/** Lines of proc_pid_status(5) by name. */
function parseStatus(status: string): Record<string, string> {
  const entries = [...status.matchAll(/^(\w+):\s+(.*)$/gm)].map(([, name = "", value = ""]): [string, string] => [
    name,
    value,
  ]);
  return Object.fromEntries(entries);
}

test("a child starts with default signal dispositions and an empty mask, whatever they are here", async (t) => {
  await using pool = new ProcessPool();
  const handler = (): void => undefined;
  process.on("SIGUSR2", handler);
  ignoreSignal(constants.signals.SIGUSR1, true);
  ignoreSignal(constants.signals.SIGHUP, true);
  ignoreSignal(40, true);
  t.after(() => {
    process.off("SIGUSR2", handler);
    for (const signal of [constants.signals.SIGUSR1, constants.signals.SIGHUP, 40]) ignoreSignal(signal, false);
  });
  const own = parseStatus((await pool.run("cat", [`/proc/${process.pid}/status`])).stdout);
  const bit = (signal: number): bigint => 1n << BigInt(signal - 1);
  const ignored =
    bit(constants.signals.SIGUSR1) | bit(constants.signals.SIGHUP) | bit(40) | bit(constants.signals.SIGPIPE);
  assert.equal(BigInt(`0x${own["SigIgn"]}`) & ignored, ignored);
  assert.notEqual(BigInt(`0x${own["SigCgt"]}`), 0n);
  const status = parseStatus((await pool.run("cat", ["/proc/self/status"])).stdout);
  for (const field of ["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"])
    assert.match(status[field] ?? "", /^0+$/, field);
});
