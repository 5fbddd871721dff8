// Groups for tests, and children that are born into them.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, type Dirent } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { IsolationError } from "pidpool";
import { Launcher } from "#pidpool/native/launcher.js";
import { native } from "#pidpool/native/load.js";
import { SLOT, SPEC, STAGES } from "#pidpool/native/layout.js";
import { close, waitPidfd } from "#pidpool/native/syscalls.js";
import { directoryOf, parseMountinfo, parseOwnCgroup } from "#pidpool/native/cgroup-mounts.js";
import { removeWhenEmpty } from "#pidpool/pool/cgroup/emptying.js";
import { CgroupRoot } from "#pidpool/pool/cgroup/root.js";
import { signalName } from "#pidpool/process/signals.js";
import { resolveSpec } from "#pidpool/process/spec.js";
import { refusal } from "./isolation.ts";

/** For the option `skip`: why this machine has no cgroups for tests, in the library's own words. */
export const noCgroups: string | false = await CgroupRoot.find().then(
  async (root) => {
    await root.dispose();
    return refusal("none", { cgroup: dirname(root.path) });
  },
  (error: unknown) => {
    if (error instanceof IsolationError) return error.message;
    throw error;
  },
);

/** For the option `skip`: why a group whose Node has died is not killed here. */
export const killWithoutFile: string | false =
  noCgroups === false && (await lacksKillFile()) && "needs cgroup.kill, of Linux 5.14";

async function lacksKillFile(): Promise<boolean> {
  const root = await CgroupRoot.find();
  const there = existsSync(join(root.path, "cgroup.kill"));
  await root.dispose();
  return !there;
}

/** A pool's root that goes with the test, and with it all that is in it. */
export async function cgroupRoot(t: TestContext, parent?: string): Promise<CgroupRoot> {
  const root = await CgroupRoot.find(parent);
  t.after(async () => {
    await root.kill();
    await removeWhenEmpty(root.path);
  });
  return root;
}

/** An empty group beneath a pool's; it goes with the pool's. */
export function scratchGroup(root: CgroupRoot, name: string): string {
  const path = join(root.path, name);
  mkdirSync(path);
  return path;
}

/** A group for the option `cgroup`; it goes with the test, and with it all that is in it. */
export async function givenGroup(t: TestContext): Promise<string> {
  return scratchGroup(await cgroupRoot(t), "given");
}

/** All groups beneath one, as paths from there, those above before those below. */
export function groupsBeneath(path: string, prefix = ""): string[] {
  let entries: Dirent[] = [];
  try {
    entries = readdirSync(join(path, prefix), { withFileTypes: true });
  } catch (error) {
    // Removed after it was listed.
    if (prefix === "" || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(prefix, name));
  return names.flatMap((name) => [name].concat(groupsBeneath(path, name)));
}

/** The directory of the group that a process's /proc/self/cgroup names. */
export function groupIn(text: string): string {
  const { mounts } = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
  const own = parseOwnCgroup(text);
  const directory = own === undefined ? undefined : directoryOf(own, mounts);
  assert.ok(directory, text);
  return directory;
}

/** The pids that live in a group. */
export function members(path: string): number[] {
  return readFileSync(join(path, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
}

/** How a child ended. */
export interface End {
  readonly status: "exited" | "signaled";
  readonly code: number;
  readonly signal: string;
}

/** A child that was born into a group. */
export interface Born {
  readonly pid: number;
  /** Waits for its end. */
  reap(): Promise<End>;
}

/** Starts a program in the group behind `fd`, by CLONE_INTO_CGROUP. */
export function bornInto(t: TestContext, fd: number, file: string, args: readonly string[]): Born {
  const launcher = new Launcher(false);
  t.after(() => launcher.dispose());
  const { block } = resolveSpec("spawn", file, args, { stdio: "ignore" });
  new DataView(block.buffer, block.byteOffset).setInt32(SPEC.cgroup, fd, true);
  assert.equal(launcher.prepare(0, block, []), 0);
  const result = launcher.launchHere(0);
  const at = launcher.region.slot(0);
  const word = (field: number): number => launcher.region.words[(at + field) >> 2] ?? 0;
  if (result < 0) throw new Error(`${STAGES[word(SLOT.stage)]}: ${result}`);
  const pidfd = word(SLOT.pidfd);
  t.after(() => close(pidfd));
  return { pid: word(SLOT.pid), reap: () => reap(pidfd) };
}

async function reap(pidfd: number): Promise<End> {
  const info = new Int32Array(68);
  const address = native().addressOf(info);
  for (;;) {
    assert.equal(waitPidfd(pidfd, address, address + 128), 0);
    const [code = 0, status = 0] = [info[2], info[6]];
    if (info[0] !== 0) {
      return code === 1
        ? { status: "exited", code: status, signal: "" }
        : { status: "signaled", code: 0, signal: signalName(status) };
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
