// A directory for the sockets of notifications, by its name: who has made it, so
// that others know what somebody who was killed has left.
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { EACCES, errnoNumber } from "../../native/errno.ts";
import { readStat } from "../../process/proc-stat.ts";

/** Bytes of a socket's name in its directory. */
export const NAME_LENGTH = 16;
const NAME = /^pidpool-notify-(\d+)-(\d+-\d+)-(\d+)-[0-9a-f]{16}$/;

/** Makes one, or makes it again. Returns 0 or -errno. */
export function makeDirectory(path: string): number {
  try {
    // Names of sockets in it are nobody else's to read.
    mkdirSync(path, { mode: 0o711 });
    chmodSync(path, 0o711);
    return 0;
  } catch (error) {
    return -(errnoNumber((error as NodeJS.ErrnoException).code) || EACCES);
  }
}

/** Removes one, with what is in it. */
export function removeDirectory(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The next process tries again.
  }
}

const NOWHERE = "0-0";

/** Where a thread id and a start time mean what they mean here; {@link NOWHERE} where /proc does not tell. */
function namespaces(): string {
  const [pid, time] = ["pid", "time"].map((kind) => {
    try {
      return /\d+/.exec(readlinkSync(`/proc/self/ns/${kind}`))?.[0] ?? "0";
    } catch {
      return "0";
    }
  });
  return `${pid}-${time}`;
}

/** The thread that this runs in, a worker's as well: one that is terminated leaves its directory to the rest of the process. */
function ownThread(): string {
  try {
    return basename(readlinkSync("/proc/thread-self"));
  } catch {
    return String(process.pid);
  }
}

/** A thread's id means something only in its namespace, and only together with when it began; else nobody sweeps. */
export function newName(): string {
  const thread = ownThread();
  const stat = readStat(Number(thread));
  const where = stat === undefined ? NOWHERE : namespaces();
  return `pidpool-notify-${thread}-${where}-${stat?.startedAt ?? 0}-${randomBytes(8).toString("hex")}`;
}

/** Removes what this user's threads and processes have left that are no more, and their guardians neither. */
export function removeStale(base: string): void {
  const here = namespaces();
  for (const name of entries(base)) {
    const [, thread = "", from, started = ""] = NAME.exec(name) ?? [];
    if (from !== here || from === NOWHERE || !isGone(thread, started)) continue;
    try {
      const path = join(base, name);
      // Nobody but its owner can have put something else in its place: all candidates are private or sticky.
      const { uid } = lstatSync(path);
      if (uid === process.geteuid?.()) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another process was faster.
    }
  }
}

/** None where it cannot be read, as for want of an fd. */
function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Not merely unreadable, as for want of an fd. */
function isGone(thread: string, started: string): boolean {
  const stat = readStat(Number(thread));
  return stat === undefined ? !existsSync(`/proc/${thread}`) : stat.startedAt !== started;
}
