// The option limits, as far as the kernel counts for each process by itself:
// setrlimit(2).
import { readFileSync } from "node:fs";
import { InvalidOptionError } from "../errors.ts";
import { hardLimit } from "../native/syscalls.ts";
import type { CgroupLimits } from "./cgroup-limits.ts";
import type { ConfinementWriter, LimitCall } from "./confinement.ts";
import type { Limits } from "./options.ts";
import { hasCapabilities } from "./own-rights.ts";

/** The keys of {@link Limits} that are rlimits. */
export type RlimitKey = Exclude<keyof Limits, keyof CgroupLimits>;

interface Kind {
  readonly resource: number;
  /** The kernel's name for it, and the option of the shell's ulimit. */
  readonly name: string;
  readonly ulimit: string;
  readonly unit: string;
}

const RLIMITS: Readonly<Record<RlimitKey, Kind>> = {
  cpuSeconds: { resource: 0, name: "RLIMIT_CPU", ulimit: "t", unit: "seconds" },
  addressSpace: { resource: 9, name: "RLIMIT_AS", ulimit: "v", unit: "bytes" },
  dataBytes: { resource: 2, name: "RLIMIT_DATA", ulimit: "d", unit: "bytes" },
  fileSize: { resource: 1, name: "RLIMIT_FSIZE", ulimit: "f", unit: "bytes" },
  openFiles: { resource: 7, name: "RLIMIT_NOFILE", ulimit: "n", unit: "fds" },
  processes: { resource: 6, name: "RLIMIT_NPROC", ulimit: "u", unit: "processes" },
  stack: { resource: 3, name: "RLIMIT_STACK", ulimit: "s", unit: "bytes" },
  core: { resource: 4, name: "RLIMIT_CORE", ulimit: "c", unit: "bytes" },
};

/** Their names. */
export const RLIMIT_KEYS: ReadonlySet<string> = new Set(Object.keys(RLIMITS));

const RLIM_INFINITY = 2n ** 64n - 1n;
/** The kernel counts CPU time in nanoseconds and does not mind an overflow. */
const MAX_SECONDS = 0x7fffffff;

/** One limit, as asked for and as the child sets it. */
export interface Rlimit extends LimitCall {
  readonly option: RlimitKey;
  readonly name: string;
  readonly value: number;
}

/** What this process may hand on. */
export interface OwnLimits {
  hard(resource: number): bigint;
  /** Whether it may exceed its hard limits. */
  mayRaise(): boolean;
  /** The system's own bound on RLIMIT_NOFILE, which nobody may exceed. */
  maxOpenFiles(): bigint;
}

const OWN: OwnLimits = {
  hard: hardLimit,
  mayRaise: () => hasCapabilities("CAP_SYS_RESOURCE"),
  maxOpenFiles: () => {
    try {
      return BigInt(readFileSync("/proc/sys/fs/nr_open", "latin1").trim());
    } catch {
      return RLIM_INFINITY;
    }
  },
};

/**
 * Checks those of the option limits that are {@link RLIMIT_KEYS} and writes what the child sets; slot detail i is the limit at index i.
 *
 * @throws InvalidOptionError
 */
export function writeLimits(
  writer: ConfinementWriter,
  given: { readonly [Key in RlimitKey]?: unknown },
  own: OwnLimits = OWN,
): readonly Rlimit[] {
  const rlimits: Rlimit[] = [];
  for (const option of Object.keys(RLIMITS) as RlimitKey[]) {
    const value = given[option];
    if (value !== undefined) rlimits.push(rlimit(option, value, own));
  }
  if (rlimits.length > 0) writer.limits(rlimits);
  return rlimits;
}

function rlimit(option: RlimitKey, given: unknown, own: OwnLimits): Rlimit {
  const { resource, name } = RLIMITS[option];
  const value = check(option, given);
  const soft = value === Infinity ? RLIM_INFINITY : BigInt(Math.ceil(value));
  // A second between the signal that can be caught and the one that cannot.
  const hard = option === "cpuSeconds" && soft !== RLIM_INFINITY ? soft + 1n : soft;
  requireAllowed(option, value, hard, own);
  return { option, name, value, resource, soft, hard };
}

function check(option: RlimitKey, value: unknown): number {
  const { unit } = RLIMITS[option];
  const seconds = option === "cpuSeconds";
  const fits =
    typeof value === "number" &&
    (value === Infinity || (seconds ? value > 0 && value <= MAX_SECONDS : Number.isSafeInteger(value) && value >= 0));
  if (fits) return value;
  const what = seconds ? `a number of seconds above 0, at most ${MAX_SECONDS}` : `a whole number of ${unit}`;
  throw new InvalidOptionError(`limits.${option}`, value, `it must be ${what}, or Infinity`);
}

function requireAllowed(option: RlimitKey, value: number, wanted: bigint, own: OwnLimits): void {
  const { resource, name, ulimit, unit } = RLIMITS[option];
  const hard = own.hard(resource);
  if (wanted <= hard) return;
  if (!own.mayRaise()) {
    const most = option === "cpuSeconds" ? hard - 1n : hard;
    throw new InvalidOptionError(
      `limits.${option}`,
      value,
      `this process's own hard limit allows at most ${most} ${unit} (${name}); ask for less, raise that ` +
        `(ulimit -H${ulimit}, Limit${name.slice("RLIMIT_".length)}= of systemd), or give this process CAP_SYS_RESOURCE`,
    );
  }
  const most = option === "openFiles" ? own.maxOpenFiles() : RLIM_INFINITY;
  if (wanted > most) {
    throw new InvalidOptionError(
      `limits.${option}`,
      value,
      `the system allows at most ${most} ${unit}; ask for less, or raise fs.nr_open (sysctl)`,
    );
  }
}
