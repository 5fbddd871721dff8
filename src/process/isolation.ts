// Isolation by namespaces: the levels, and each namespace by itself, resolved
// into where a child is born, what it enters, and what it makes for itself.
import { release } from "node:os";
import { InvalidOptionError, IsolationError } from "../errors.ts";
import { SPEC, SPEC_FLAG } from "../native/layout.ts";
import { bare } from "./bare.ts";
import { capabilityBit, capabilityMask } from "./capabilities.ts";
import type { ConfinementWriter } from "./confinement.ts";
import { resolveMounts } from "./mounts.ts";
import type { IsolationOptions, MountOptions } from "./options.ts";
import { idMaps } from "./own-rights.ts";
import { bag, integer, oneOf, text } from "./validate.ts";

export const CLONE_NEWTIME = 0x80;
export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWCGROUP = 0x2000000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;

/** Which namespaces a launch enters, and whose they are. */
export interface IsolationPlan {
  /** Who holds them: nobody, the pool's holder, the pool's guardian, or a guardian of this child alone. */
  readonly home: "none" | "shared" | "contained" | "own";
  readonly user: boolean;
  readonly network: boolean;
  readonly pid: boolean;
  /** It makes namespaces of its own. */
  readonly makes: boolean;
  /** Its ids are mapped by the launcher, while it waits. */
  readonly maps: boolean;
  /** There are mounts of its own: a working directory must be looked up anew. */
  readonly mounts: boolean;
  /** Its /tmp is another one, which is empty. */
  readonly hidesTmp: boolean;
}

const NOWHERE: IsolationPlan = Object.freeze({
  home: "none",
  user: false,
  network: false,
  pid: false,
  makes: false,
  maps: false,
  mounts: false,
  hidesTmp: false,
});

const LEVELS: Readonly<Record<string, IsolationOptions>> = {
  none: bare({ noNewPrivileges: false }),
  shared: bare({ user: "shared", network: "shared" }),
  contained: bare({ user: "shared", network: "shared", pid: "shared" }),
  private: bare({ user: "private", network: "private" }),
};

const KEYS: ReadonlySet<string> = new Set([
  "user",
  "network",
  "pid",
  "mount",
  "ipc",
  "uts",
  "cgroup",
  "time",
  "loopback",
  "hostname",
  "mapUid",
  "mapGid",
  "capabilities",
  "noNewPrivileges",
]);

const WHOSE = ["host", "shared", "private"] as const;
type Whose = (typeof WHOSE)[number];

const MAX_ID = 0xfffffffe;
const LONGEST_NAME = 64;

/**
 * Resolves the option and writes what it means for the child.
 *
 * @throws InvalidOptionError
 * @throws IsolationError where this kernel is known not to do it.
 */
export function writeIsolation(writer: ConfinementWriter, value: unknown): IsolationPlan {
  const o = options(value);
  const whose = (key: string, fallback: Whose): Whose => oneOf(`isolation.${key}`, o[key] ?? fallback, WHOSE);
  const yes = (key: string, fallback = false): boolean => oneOf(`isolation.${key}`, o[key] ?? fallback, [true, false]);
  const network = whose("network", "host");
  const pid = whose("pid", "host");
  const hostname = hostName(o["hostname"]);
  const mount = mountOption(o["mount"]);
  let unshared = network === "private" ? CLONE_NEWNET : 0;
  if (mount !== undefined) unshared |= CLONE_NEWNS;
  if (yes("ipc")) unshared |= CLONE_NEWIPC;
  if (yes("uts", hostname !== undefined)) unshared |= CLONE_NEWUTS;
  if (yes("cgroup")) unshared |= CLONE_NEWCGROUP;
  if (yes("time")) {
    requireTimeAtExec();
    unshared |= CLONE_NEWTIME;
  }
  const shares = network === "shared" || pid === "shared";
  const any = shares || unshared !== 0 || pid === "private";
  const user = whose("user", !any ? "host" : pid === "private" ? "private" : "shared");
  checkTogether({ user, network, pid }, o, hostname, (unshared & CLONE_NEWUTS) !== 0);

  if (unshared !== 0) writer.word(SPEC.unshared, unshared);
  if (hostname !== undefined) writer.string(SPEC.hostname, hostname);
  if (yes("loopback")) writer.flag(SPEC_FLAG.loopback);
  if (mount !== undefined) writer.mounts(resolveMounts(mount, { pid: pid !== "host" }));
  const own = pid === "private";
  // Where the child has a guardian of its own, that one makes the user namespace.
  if (user === "private" && !own) writeUserNamespace(writer, o);
  writePrivileges(writer, o, user);
  if (!any && user === "host") return NOWHERE;
  return Object.freeze({
    home: own ? "own" : pid === "shared" ? "contained" : user === "shared" || shares ? "shared" : "none",
    user: user === "shared" || (own && user === "private"),
    network: network === "shared",
    pid: pid !== "host",
    makes: unshared !== 0 || user === "private",
    maps: user === "private" && !own,
    mounts: mount !== undefined,
    hidesTmp: typeof mount === "object" && mount.tmp === true,
  });
}

/** What a guardian is born with: namespaces of its own, for others to enter. */
export function writeGuardian(writer: ConfinementWriter, { user, pid }: IsolationPlan, network: boolean): void {
  if (user) writeUserNamespace(writer, bare({}));
  writer.word(SPEC.cloned, (user ? CLONE_NEWUSER : 0) | (pid ? CLONE_NEWPID : 0));
  if (network) writer.word(SPEC.unshared, CLONE_NEWNET);
  writer.flag(SPEC_FLAG.noNewPrivs | (user ? SPEC_FLAG.capabilities : 0));
}

function options(value: unknown): Record<string, unknown> {
  if (typeof value !== "string") return bag("isolation", value, KEYS);
  const level = Object.hasOwn(LEVELS, value) ? LEVELS[value] : undefined;
  if (level !== undefined) return level as Record<string, unknown>;
  throw new InvalidOptionError(
    "isolation",
    value,
    `it must be one of ${Object.keys(LEVELS).join(", ")}, or an object that says so for each namespace`,
  );
}

function hostName(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const name = text("isolation.hostname", value, false);
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name;
  throw new InvalidOptionError("isolation.hostname", value, `it must have at most ${LONGEST_NAME} bytes`);
}

function mountOption(value: unknown): true | MountOptions | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true || (typeof value === "object" && value !== null)) return value;
  throw new InvalidOptionError("isolation.mount", value, "it must be true, false or an object");
}

function checkTogether(
  { user, network, pid }: Record<"user" | "network" | "pid", Whose>,
  o: Record<string, unknown>,
  hostname: string | undefined,
  uts: boolean,
): void {
  if (user !== "shared" && pid === "shared")
    refuse(
      "user",
      user,
      'the pool\'s pid namespace belongs to its user namespace: give user: "shared" or leave it out',
    );
  if (user === "private" && network === "shared")
    refuse(
      "user",
      user,
      'the pool\'s network namespace belongs to its user namespace: give user: "shared" or leave it out',
    );
  if (user === "shared" && pid === "private")
    refuse(
      "user",
      user,
      'a pid namespace of its own comes with a user namespace of its own: give user: "private" or "host"',
    );
  if (o["loopback"] === true && network !== "private")
    refuse("loopback", true, 'only a network namespace of its own has a loopback to bring up: give network: "private"');
  if (hostname !== undefined && !uts) refuse("uts", false, "a hostname of its own needs a uts namespace of its own");
  if ((o["mapUid"] !== undefined || o["mapGid"] !== undefined) && (user !== "private" || pid === "private"))
    refuse(
      "mapUid",
      o["mapUid"] ?? o["mapGid"],
      'ids are mapped in a user namespace of its own: give user: "private" and no pid: "private"',
    );
}

/** Before that a program stayed in the old namespace, and could start no others: less than was asked for. */
const TIME_AT_EXEC = [6, 3] as const;

function requireTimeAtExec(): void {
  const [major = 0, minor = 0] = release()
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  if (major > TIME_AT_EXEC[0] || (major === TIME_AT_EXEC[0] && minor >= TIME_AT_EXEC[1])) return;
  const remedy = `leave isolation.time out, or use Linux ${TIME_AT_EXEC.join(".")} or newer`;
  throw new IsolationError(
    "unshare",
    `isolation.time needs Linux ${TIME_AT_EXEC.join(".")}, from where on a program enters a time namespace by its exec; this is Linux ${release()}; ${remedy}`,
    { remedy },
  );
}

function refuse(option: string, value: unknown, why: string): never {
  throw new InvalidOptionError(`isolation.${option}`, value, why);
}

function writeUserNamespace(writer: ConfinementWriter, o: Record<string, unknown>): void {
  const id = (key: string): number | undefined =>
    o[key] === undefined ? undefined : integer(`isolation.${key}`, o[key], 0, MAX_ID);
  const maps = idMaps(id("mapUid"), id("mapGid"));
  writer.word(SPEC.cloned, CLONE_NEWUSER);
  writer.string(SPEC.uidMap, maps.uid);
  writer.string(SPEC.gidMap, maps.gid);
  if (maps.denySetgroups) writer.flag(SPEC_FLAG.denySetgroups);
}

function writePrivileges(writer: ConfinementWriter, o: Record<string, unknown>, user: Whose): void {
  const locked = oneOf("isolation.noNewPrivileges", o["noNewPrivileges"] ?? true, [true, false]);
  if (locked) writer.flag(SPEC_FLAG.noNewPrivs);
  // In a namespace of its own a child would have all of them.
  if (o["capabilities"] === undefined && user === "host") return;
  const kept = o["capabilities"] === undefined ? 0n : capabilityMask("isolation.capabilities", o["capabilities"]);
  if (user === "shared" && (kept & capabilityBit("CAP_SYS_PTRACE")) !== 0n) {
    // Between clone and exec a sibling has this process's memory.
    refuse("capabilities", o["capabilities"], 'CAP_SYS_PTRACE would open its siblings: give user: "private"');
  }
  writer.flag(SPEC_FLAG.capabilities);
  if (kept !== 0n) writer.long(SPEC.capabilities, kept);
  if (!locked) writer.flag(SPEC_FLAG.bounding);
}
