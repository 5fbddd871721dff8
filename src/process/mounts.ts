// The mount namespace of a child: what is mounted in it before its program
// runs.
import { resolve } from "node:path";
import { InvalidOptionError, quoted } from "../errors.ts";
import type { MountCall } from "./confinement.ts";
import type { MountOptions } from "./options.ts";
import { bag, list, oneOf, path } from "./validate.ts";

const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_SLAVE = 1 << 19;
const READ_ONLY = 1;
/** The upper half of a call's attributes are those to clear. */
const CLEAR = 2 ** 32;

const KEYS: ReadonlySet<string> = new Set(["tmp", "readOnly", "readWrite", "proc"]);

/** What {@link resolveMounts} knows of the rest of the isolation. */
export interface MountContext {
  /** The child is in another pid namespace than this process. */
  readonly pid: boolean;
}

/**
 * The calls that arrange a new mount namespace.
 *
 * @throws InvalidOptionError
 */
export function resolveMounts(value: true | MountOptions, { pid }: MountContext): MountCall[] {
  const o = bag("isolation.mount", value === true ? {} : value, KEYS);
  // What happens outside is seen inside, and nothing the other way round.
  const calls: MountCall[] = [{ target: "/", flags: MS_REC | MS_SLAVE }];
  const readOnly = paths("isolation.mount.readOnly", o["readOnly"]);
  const readWrite = paths("isolation.mount.readWrite", o["readWrite"]);
  const attributes = new Map(readOnly.map((target) => [target, READ_ONLY]));
  for (const target of readWrite) {
    if (attributes.has(target)) {
      throw new InvalidOptionError(
        "isolation.mount.readWrite",
        o["readWrite"],
        `${quoted(target)} is in readOnly, too`,
      );
    }
    attributes.set(target, READ_ONLY * CLEAR);
  }
  // Before what is read-only: its settings (/proc/sys) are the host's, and root's to change without capabilities.
  if (oneOf("isolation.mount.proc", o["proc"] ?? pid, [true, false])) {
    if (!pid) {
      throw new InvalidOptionError(
        "isolation.mount.proc",
        true,
        "a /proc of its own needs a pid namespace: give pid too",
      );
    }
    calls.push({ source: "proc", target: "/proc", type: "proc", flags: MS_NOSUID | MS_NODEV | MS_NOEXEC });
  }
  // Each call reaches all beneath: what is said of an inner path comes after what is said of an outer one.
  const inwards = [...attributes].toSorted(([a], [b]) => a.length - b.length);
  for (const [target] of inwards) {
    if (target !== "/") calls.push({ source: target, target, flags: MS_BIND | MS_REC });
  }
  for (const [target, bits] of inwards) calls.push({ target, attributes: bits });
  if (oneOf("isolation.mount.tmp", o["tmp"] ?? false, [true, false])) {
    calls.push({ source: "tmpfs", target: "/tmp", type: "tmpfs", data: "mode=1777", flags: MS_NOSUID | MS_NODEV });
  }
  return calls;
}

function paths(option: string, value: unknown): readonly string[] {
  return list(option, value ?? [], "paths", (name, item) => {
    const target = path(name, item);
    if (!target.startsWith("/")) throw new InvalidOptionError(name, item, "it must be an absolute path");
    return resolve(target);
  });
}
