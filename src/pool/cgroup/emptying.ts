// Killing all that lives in a group, however deep, and removing the group.
import { access, readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { close, pidfdOpen, pidfdSendSignal } from "../../native/syscalls.ts";
import { SIGKILL } from "../../process/signals.ts";
import { errnoOf, flatKeyed, readIfThere, words, writeValue } from "./files.ts";
import { untilTrue, withFds } from "./patience.ts";

/** Sends SIGKILL to every process in the group and beneath it; none can escape by forking. A group that is gone is empty. */
export async function killGroup(dir: string): Promise<void> {
  try {
    await withFds(() => writeValue(join(dir, "cgroup.kill"), "1"));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENODEV") return;
    if (errno !== "ENOENT") throw error;
    if (await isThere(dir)) await killByPidfds(dir);
  }
}

async function isThere(dir: string): Promise<boolean> {
  return access(dir).then(
    () => true,
    () => false,
  );
}

/** What cgroup.kill does, for kernels before 5.14: frozen processes die of SIGKILL, but do not fork meanwhile. */
export async function killByPidfds(dir: string): Promise<void> {
  const freeze = (value: string): Promise<void> => writeValue(join(dir, "cgroup.freeze"), value).catch(() => {});
  await freeze("1");
  try {
    await untilTrue(async () => {
      for (const group of await groupsOf(dir)) await killMembers(group);
      return isEmpty(dir);
    });
  } finally {
    await freeze("0");
  }
}

/** A pid that is still listed after its pidfd was opened is the process behind the pidfd, or that one has died. */
async function killMembers(group: string): Promise<void> {
  const opened = new Map<string, number>();
  try {
    for (const pid of await membersOf(group)) {
      // "0" is a process that our pid namespace has no number for.
      const pidfd = pid === "0" ? -1 : pidfdOpen(Number(pid));
      if (pidfd >= 0) opened.set(pid, pidfd);
    }
    for (const pid of await membersOf(group)) {
      const pidfd = opened.get(pid);
      if (pidfd !== undefined) pidfdSendSignal(pidfd, SIGKILL);
    }
  } finally {
    for (const pidfd of opened.values()) close(pidfd);
  }
}

/** A group of threads does not list its processes; the group above that holds processes lists them too. */
async function membersOf(group: string): Promise<string[]> {
  try {
    return words((await withFds(() => readIfThere(join(group, "cgroup.procs")))) ?? "");
  } catch (error) {
    if (errnoOf(error) === "ENOTSUP") return [];
    throw error;
  }
}

/** The group and all beneath it, the deepest first. */
async function groupsOf(dir: string): Promise<string[]> {
  const below: string[] = [];
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) below.push(...(await groupsOf(join(dir, entry.name))));
  }
  return [...below, dir];
}

/** Whether nothing lives in the group or beneath it. Zombies do not count. */
export async function isEmpty(dir: string): Promise<boolean> {
  const events = await withFds(() => readIfThere(join(dir, "cgroup.events")));
  return events === undefined || flatKeyed(events).get("populated") === 0;
}

/** Removes a group, and those that the children have made beneath it. False where something still lives there. */
export async function removeIfEmpty(dir: string): Promise<boolean> {
  if (!(await isEmpty(dir))) return false;
  for (const group of await groupsOf(dir)) {
    try {
      await rmdir(group);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "EBUSY") return false;
      if (errno !== "ENOENT") throw error;
    }
  }
  return true;
}

/** Removes a group once it is empty. False where it did not become so in time. */
export async function removeWhenEmpty(dir: string): Promise<boolean> {
  return untilTrue(() => removeIfEmpty(dir));
}
