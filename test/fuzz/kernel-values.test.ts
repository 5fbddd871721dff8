// Numbers that are taken reach the child as they were given: what it finds in
// /proc/self is compared. None is cut to 32 or 64 bits on its way.
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { ProcessPool } from "pidpool";
import { effectiveCapabilities } from "#pidpool/native/syscalls.js";
import { property } from "./property.ts";

const isRoot = process.geteuid?.() === 0;
const CAP_SYS_NICE = 23n;
const capabilities = effectiveCapabilities();
/** Root of a container may not. */
const mayRaisePriority = typeof capabilities === "bigint" && ((capabilities >> CAP_SYS_NICE) & 1n) === 1n;
const id = fc.oneof(
  fc.constantFrom(0, 1, 65534, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 2),
  fc.integer({ min: 0, max: 2 ** 32 - 2 }),
);
const large = fc.oneof(
  fc.constantFrom(2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Infinity),
  fc.integer({ min: 2 ** 26, max: Number.MAX_SAFE_INTEGER }),
);

const LIMITS = {
  fileSize: "Max file size",
  core: "Max core file size",
  dataBytes: "Max data size",
  addressSpace: "Max address space",
} as const;

/** A line of proc_pid_status(5), or of proc_pid_limits(5). */
function line(text: string, name: string): string {
  return (
    text
      .split("\n")
      .find((each) => each.startsWith(name))
      ?.slice(name.length)
      .replace(/^:/, "")
      .trim() ?? ""
  );
}

property(
  "ids, as the child has them",
  fc.record({ uid: id, gid: id, groups: fc.uniqueArray(id, { maxLength: 8 }) }),
  { runs: 4, starts: true, skip: !isRoot && "needs root" },
  async ({ uid, gid, groups }) => {
    await using pool = new ProcessPool({ isolation: "none" });
    const { stdout } = await pool.run("cat", ["/proc/self/status"], { uid, gid, groups, cwd: "/" });
    assert.deepEqual(line(stdout, "Uid").split("\t").map(Number), [uid, uid, uid, uid]);
    assert.deepEqual(line(stdout, "Gid").split("\t").map(Number), [gid, gid, gid, gid]);
    const found = line(stdout, "Groups").split(" ").filter(Boolean).map(Number);
    assert.deepEqual(
      found,
      groups.toSorted((a, b) => a - b),
    );
  },
);

property(
  "umask and niceness, as the child has them",
  fc.record({
    umask: fc.integer({ min: 0, max: 0o777 }),
    nice: fc.integer({ min: mayRaisePriority ? -20 : 0, max: 19 }),
  }),
  { runs: 4, starts: true },
  async ({ umask, nice }) => {
    await using pool = new ProcessPool({ isolation: "none" });
    const { stdout } = await pool.run("cat", ["/proc/self/status", "/proc/self/stat"], { umask, nice });
    assert.equal(Number.parseInt(line(stdout, "Umask"), 8), umask);
    const stat = stdout.slice(stdout.lastIndexOf(")") + 2).split(" ");
    assert.equal(Number(stat[16]), nice);
  },
);

property(
  "limits, as the child has them",
  fc.record({ fileSize: large, core: large, dataBytes: large, addressSpace: large }),
  { runs: 4, starts: true, skip: !isRoot && "needs root, for limits above this process's own" },
  async (limits) => {
    await using pool = new ProcessPool({ isolation: "none" });
    const { stdout } = await pool.run("cat", ["/proc/self/limits"], { limits });
    for (const [key, name] of Object.entries(LIMITS)) {
      const value = limits[key as keyof typeof limits];
      const shown = value === Infinity ? "unlimited" : String(value);
      assert.deepEqual(line(stdout, name).split(/\s+/).slice(0, 2), [shown, shown], name);
    }
  },
);
