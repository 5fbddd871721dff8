// Where the sockets of notifications may be: within reach of the children that
// are to find them.
import { realpathSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { bare } from "../../process/bare.ts";

/** What a child asks of the directory. */
export interface Reach {
  /** Its /tmp is another one. */
  readonly hidesTmp: boolean;
  /** It runs as another user. */
  readonly otherUser: boolean;
}

/** statfs(2) */
const TMPFS_MAGIC = 0x01021994;
/** In memory before on disk: making a socket there writes no journal. Then, where no cleaner of old files looks. */
export function candidates(): string[] {
  const { XDG_RUNTIME_DIR: runtime } = bare(process.env);
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
export function isWithinReach(base: string, { hidesTmp, otherUser }: Reach): boolean {
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
