// Groups of pools, by name, and what processes that were killed have left.
import { randomBytes } from "node:crypto";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "./files.ts";
import { removeIfEmpty } from "./emptying.ts";

/** The number of our pid namespace: a pid means something only in its own. */
async function pidNamespace(): Promise<string> {
  return /\d+/.exec(await readlink("/proc/self/ns/pid"))?.[0] ?? "0";
}

/** A name that no other pool has had: a group is never used again, since it keeps its counters. */
export async function newPoolName(): Promise<string> {
  return `pidpool-${process.pid}-${await pidNamespace()}-${randomBytes(6).toString("hex")}`;
}

/** Removes empty groups of pools whose process is gone. What cannot be removed stays, without an error. */
export async function removeStale(parent: string): Promise<void> {
  const namespace = await pidNamespace();
  for (const name of await readdir(parent).catch(() => [])) {
    const [, pid, from] = /^pidpool-(\d+)-(\d+)-[0-9a-f]{12}$/.exec(name) ?? [];
    if (pid === undefined || from !== namespace || isAlive(Number(pid))) continue;
    await removeIfEmpty(join(parent, name)).catch(() => false);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== "ESRCH";
  }
}
