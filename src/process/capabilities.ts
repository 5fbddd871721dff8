// Capabilities by name. See capabilities(7).
import { InvalidOptionError } from "../errors.ts";
import { list } from "./validate.ts";

/** In the kernel's order: a capability's number is its index. */
const NAMES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const;

/** A capability by its name in capabilities(7). */
export type Capability = (typeof NAMES)[number];

/** The bit of a capability in the kernel's masks. */
export function capabilityBit(name: Capability): bigint {
  return 1n << BigInt(NAMES.indexOf(name));
}

/** The name of a capability by its number, for messages. */
export function capabilityName(number: number): string {
  return NAMES[number] ?? `capability ${number}`;
}

/**
 * The mask of a list of capabilities.
 *
 * @throws InvalidOptionError
 */
export function capabilityMask(option: string, value: unknown): bigint {
  return list(option, value, "capability names", bit).reduce((mask, one) => mask | one, 0n);
}

function bit(option: string, name: unknown): bigint {
  const known = NAMES.find((candidate) => candidate === name);
  if (known !== undefined) return capabilityBit(known);
  throw new InvalidOptionError(option, name, 'it must be a name of capabilities(7), such as "CAP_NET_RAW"');
}
