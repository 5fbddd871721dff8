// What this process may do, as far as it decides how a child is confined.
import { readFileSync } from "node:fs";
import { IsolationError } from "../errors.ts";
import { effectiveCapabilities } from "../native/syscalls.ts";
import { capabilityBit, type Capability } from "./capabilities.ts";

/** The id maps of a user namespace, as the kernel takes them. user_namespaces(7). */
export interface IdMaps {
  readonly uid: string;
  readonly gid: string;
  /** An ordinary user may map groups only where setgroups(2) is refused from then on. */
  readonly denySetgroups: boolean;
}

/** The capabilities in effect for this thread. */
export function ownCapabilities(): bigint {
  const capabilities = effectiveCapabilities();
  return typeof capabilities === "number" ? 0n : capabilities;
}

/** Whether this thread has all of these. */
export function hasCapabilities(...names: readonly Capability[]): boolean {
  const own = ownCapabilities();
  return names.every((name) => (own & capabilityBit(name)) !== 0n);
}

/**
 * All ids that there are in this process's own user namespace, each to itself.
 *
 * @throws IsolationError where no fd is left to look.
 */
function everyId(file: string): string {
  return contentsOf(file)
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.trim().split(/\s+/))
    .map(([inside = "0", , count = "1"]) => `${inside} ${inside} ${count}\n`)
    .join("");
}

/**
 * Maps that leave ids as they are: all of them where this process may say so, else its own alone. With `uid` or
 * `gid`, its own become those.
 */
export function idMaps(uid?: number, gid?: number): IdMaps {
  const [ownUid, ownGid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const all = hasCapabilities("CAP_SETUID", "CAP_SETGID", "CAP_SETFCAP");
  return {
    uid: all && uid === undefined ? everyId("/proc/self/uid_map") : `${uid ?? ownUid} ${ownUid} 1`,
    gid: all && gid === undefined ? everyId("/proc/self/gid_map") : `${gid ?? ownGid} ${ownGid} 1`,
    denySetgroups: !all,
  };
}

function contentsOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch (cause) {
    const { code: errno } = cause as NodeJS.ErrnoException;
    throw new IsolationError("uid_map", `${file} cannot be read: ${errno}`, { syscall: "openat", errno, cause });
  }
}
