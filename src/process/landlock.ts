// The options filesystem and tcp, as a Landlock ruleset: landlock(7). What it
// handles is refused, but for what a rule allows.
import { resolve } from "node:path";
import { InvalidOptionError, IsolationError, quoted } from "../errors.ts";
import { ENOSYS, EOPNOTSUPP, errnoName } from "../native/errno.ts";
import { ACCESS_FS, ACCESS_NET, landlockAbi, SCOPE } from "../native/landlock.ts";
import { SPEC, SPEC_FLAG } from "../native/layout.ts";
import type { ConfinementWriter, LandlockRule } from "./confinement.ts";
import { bag, integer, list, path } from "./validate.ts";

/** One rule, and the entry of the option that asked for it. */
export interface NamedRule extends LandlockRule {
  readonly option: string;
}

/** A child's ruleset; slot detail i + 1 is the rule at index i, 0 the whole. */
export interface Landlock {
  readonly rules: readonly NamedRule[];
  /** Where its programs must be; undefined where the option filesystem is not given. */
  readonly execute: readonly string[] | undefined;
}

/**
 * ABI and kernel that each option needs. Before ABI 3 any file could be emptied by truncate(2), whatever the rules:
 * that is not what was asked for.
 */
const NEEDED = { filesystem: [3, "6.2"], tcp: [4, "6.7"] } as const;
const IOCTL_ABI = 5;
const SCOPE_ABI = 6;

const READ = ACCESS_FS.readFile | ACCESS_FS.readDir;
const EXECUTE = READ | ACCESS_FS.execute;
const WRITE =
  READ |
  ACCESS_FS.writeFile |
  ACCESS_FS.removeDir |
  ACCESS_FS.removeFile |
  ACCESS_FS.makeDir |
  ACCESS_FS.makeReg |
  ACCESS_FS.makeSock |
  ACCESS_FS.makeFifo |
  ACCESS_FS.makeSym |
  ACCESS_FS.refer |
  ACCESS_FS.truncate;
const HANDLED = WRITE | EXECUTE | ACCESS_FS.makeChar | ACCESS_FS.makeBlock;

const FILESYSTEM_KEYS: ReadonlySet<string> = new Set(["readOnly", "readWrite", "execute"]);
const TCP_KEYS: ReadonlySet<string> = new Set(["bind", "connect"]);

/**
 * Checks both options and writes the ruleset, if one is asked for.
 *
 * @throws InvalidOptionError
 * @throws IsolationError where the kernel's Landlock lacks what is needed.
 */
export function writeLandlock(
  writer: ConfinementWriter,
  filesystem: unknown,
  tcp: unknown,
  cwd: string | undefined,
  found: () => number = landlockAbi,
): Landlock | undefined {
  if (filesystem === undefined && tcp === undefined) return undefined;
  const files = bag("filesystem", filesystem, FILESYSTEM_KEYS);
  const ports = bag("tcp", tcp, TCP_KEYS);
  const abi = found();
  const ioctl = abi >= IOCTL_ABI ? ACCESS_FS.ioctlDev : 0;
  const readOnly = pathRules("filesystem.readOnly", files["readOnly"], cwd, READ);
  const readWrite = pathRules("filesystem.readWrite", files["readWrite"], cwd, WRITE | ioctl);
  const execute = pathRules("filesystem.execute", files["execute"], cwd, EXECUTE);
  const bind = portRules("tcp.bind", ports["bind"], 0, ACCESS_NET.bindTcp);
  const connect = portRules("tcp.connect", ports["connect"], 1, ACCESS_NET.connectTcp);
  requireUnwritable(readOnly, readWrite);
  if (filesystem !== undefined) requireAbi("filesystem", abi);
  if (tcp !== undefined) requireAbi("tcp", abi);

  const rules: NamedRule[] = [...readOnly, ...readWrite, ...execute, ...bind, ...connect];
  writer.flag(SPEC_FLAG.landlock | SPEC_FLAG.noNewPrivs);
  if (filesystem !== undefined) writer.long(SPEC.handledFiles, BigInt(HANDLED | ioctl));
  if (tcp !== undefined) writer.long(SPEC.handledPorts, BigInt(ACCESS_NET.bindTcp | ACCESS_NET.connectTcp));
  if (abi >= SCOPE_ABI) writer.long(SPEC.scoped, BigInt(SCOPE.abstractUnixSocket | SCOPE.signal));
  writer.rules(rules);
  return { rules, execute: filesystem === undefined ? undefined : execute.map((entry) => entry.path) };
}

interface PathRule extends NamedRule {
  readonly path: string;
}

function pathRules(name: string, value: unknown, cwd: string | undefined, access: number): readonly PathRule[] {
  return list(name, value ?? [], "paths", (option, entry) => ({
    option,
    access: BigInt(access),
    path: resolve(cwd ?? "", path(option, entry)),
  }));
}

function portRules(name: string, value: unknown, lowest: number, access: number): readonly NamedRule[] {
  return list(name, value ?? [], "ports", (option, entry) => ({
    option,
    access: BigInt(access),
    port: integer(option, entry, lowest, 65535),
  }));
}

/** Rules only add up: what is writable by one cannot be made read-only by another. */
function requireUnwritable(readOnly: readonly PathRule[], readWrite: readonly PathRule[]): void {
  for (const entry of readOnly) {
    const above = readWrite.find((other) => isBeneath(entry.path, other.path));
    if (above === undefined) continue;
    throw new InvalidOptionError(
      entry.option,
      entry.path,
      `it must not lie beneath ${above.option} (${quoted(above.path)}), which makes it writable: Landlock can only allow more`,
    );
  }
}

/** Whether an absolute path is `dir` or something in it. */
export function isBeneath(file: string, dir: string): boolean {
  return file === dir || file.startsWith(dir.endsWith("/") ? dir : `${dir}/`);
}

function requireAbi(option: keyof typeof NEEDED, found: number): void {
  const [needed, since] = NEEDED[option];
  if (found >= needed) return;
  const [why, remedy] = lack(found, since);
  throw new IsolationError(
    "landlock",
    `the option ${option} needs Landlock ABI ${needed} (Linux ${since}); ${why}; ${remedy}`,
    { syscall: "landlock_create_ruleset", errno: found < 0 ? errnoName(-found) : undefined, remedy },
  );
}

function lack(found: number, since: string): [why: string, remedy: string] {
  switch (found) {
    case -EOPNOTSUPP:
      return ["it was disabled when this kernel started", "add landlock to the boot parameter lsm="];
    case -ENOSYS:
      return [
        "this kernel, or what emulates it here, has none",
        `use Linux ${since} or newer, built with CONFIG_SECURITY_LANDLOCK`,
      ];
    default:
      return found < 0
        ? ["it is refused here", "allow the landlock_* calls in the seccomp filter that this process runs under"]
        : [`this kernel has ABI ${found}`, `use Linux ${since} or newer, or leave the option out`];
  }
}
