// Where the sockets of notifications are: a directory of this process, made when
// the first is needed, within reach of the children that are to find it. It goes
// with the last pool of its thread, or with the process; what a process that was
// killed has left, or a worker that was terminated, the next one removes.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ENAMETOOLONG, EACCES, errnoNumber } from "../../native/errno.ts";
import { SUN_PATH } from "../../native/syscalls.ts";
import { readStat } from "../../process/proc-stat.ts";
import { onExit } from "../exit-hook.ts";

/** What a child asks of the directory. */
export interface Reach {
  /** Its /tmp is another one. */
  readonly hidesTmp: boolean;
  /** It runs as another user. */
  readonly otherUser: boolean;
}

/** statfs(2) */
const TMPFS_MAGIC = 0x01021994;
/** Bytes of a socket's name in its directory. */
export const NAME_LENGTH = 16;
const NAME = /^pidpool-notify-(\d+)-(\d+-\d+)-(\d+)-[0-9a-f]{16}$/;

const made = new Map<string, string>();
let users = 0;
let forgetExit: (() => void) | undefined;

/** Keeps directories in place until the function that it returns is called as often as this one. */
export function useDirectories(): () => void {
  users++;
  return () => {
    if (--users === 0) removeAll();
  };
}

/** A directory that fits, or -errno where none can be made. */
export function directoryFor(reach: Reach): string | number {
  const key = `${reach.hidesTmp} ${reach.otherUser}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  let failure = EACCES;
  for (const base of candidates()) {
    if (!isWithinReach(base, reach)) continue;
    const path = [...made.values()].find((other) => dirname(other) === base) ?? make(base);
    if (typeof path === "string") {
      made.set(key, path);
      return path;
    }
    failure = -path;
  }
  return -failure;
}

/** Another one is to be made next time: this one is not there any more. */
export function forgetDirectory(path: string): void {
  for (const [key, known] of made) if (known === path) made.delete(key);
}

/** In memory before on disk: making a socket there writes no journal. Then, where no cleaner of old files looks. */
export function candidates(): string[] {
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  const all = ["/run", ...(runtime?.startsWith("/") === true ? [runtime] : []), "/dev/shm", "/var/tmp", tmpdir()];
  return [...all.filter(isInMemory), ...all.filter((path) => !isInMemory(path))];
}

function isInMemory(path: string): boolean {
  try {
    return statfsSync(path).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}

/** Whether a child without capabilities can search the whole way to it. */
function isWithinReach(base: string, { hidesTmp, otherUser }: Reach): boolean {
  try {
    const real = realpathSync(base);
    if (hidesTmp && (real === "/tmp" || real.startsWith("/tmp/"))) return false;
    for (let path = real; ; path = dirname(path)) {
      const { mode, uid } = statSync(path);
      const searchable = !otherUser && uid === process.geteuid?.() ? 0o100 : 0o001;
      if ((mode & searchable) === 0) return false;
      if (path === "/") return true;
    }
  } catch {
    return false;
  }
}

function make(base: string): string | number {
  const path = join(base, newName());
  if (Buffer.byteLength(path) + 1 + NAME_LENGTH >= SUN_PATH) return -ENAMETOOLONG;
  try {
    // Names of sockets in it are nobody else's to read.
    mkdirSync(path, { mode: 0o711 });
    chmodSync(path, 0o711);
  } catch (error) {
    return -(errnoNumber((error as NodeJS.ErrnoException).code) || EACCES);
  }
  forgetExit ??= onExit(removeAll);
  removeStale(base);
  return path;
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
function newName(): string {
  const thread = ownThread();
  const stat = readStat(Number(thread));
  const where = stat === undefined ? NOWHERE : namespaces();
  return `pidpool-notify-${thread}-${where}-${stat?.startedAt ?? 0}-${randomBytes(8).toString("hex")}`;
}

/** Removes what this user's threads and processes have left that are no more. */
function removeStale(base: string): void {
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

function removeAll(): void {
  forgetExit?.();
  forgetExit = undefined;
  for (const path of new Set(made.values())) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // The next process tries again.
    }
  }
  made.clear();
}
