// The limits that cgroup v2 sets, of the options `limits` and `cgroup`: checked,
// and put into the words of the kernel's files (cgroup-v2.rst). What becomes of
// them is pool/cgroup's part.
import { resolve } from "node:path";
import { InvalidOptionError } from "../errors.ts";
import { bag, integer, list, path, text } from "./validate.ts";

/** A share of CPU time in the kernel's own terms: `quota` microseconds in every `period`. */
export interface CpuMax {
  readonly quota: number;
  /** Default: 100000, a tenth of a second. */
  readonly period?: number | undefined;
}

/** Bounds for one disk. At least one of them. */
export interface IoLimit {
  /** `"8:0"`, a block device such as `"/dev/sda"`, or any path on a file system that lies on one. */
  readonly device: string;
  /** Bytes a second. */
  readonly readBytes?: number | undefined;
  readonly writeBytes?: number | undefined;
  /** Operations a second. */
  readonly readOps?: number | undefined;
  readonly writeOps?: number | undefined;
}

/** Limits of the child and everything it starts, counted together. They need cgroup v2. */
export interface CgroupLimits {
  /** Bytes of memory, page cache included, swap excluded; all of them are killed where they need more. */
  readonly memory?: number | undefined;
  /** Processes and threads that may exist at a time, the child included. */
  readonly pids?: number | undefined;
  /** Share of the CPU against siblings, 1–10000. The kernel's default is 100. */
  readonly cpuWeight?: number | undefined;
  /** CPUs' worth of time, e.g. 0.5, or {@link CpuMax}. */
  readonly cpuMax?: number | CpuMax | undefined;
  readonly io?: readonly IoLimit[] | undefined;
}

/** A controller of cgroup v2, as `cgroup.controllers` names it. */
export type Controller = "memory" | "pids" | "cpu" | "io";

/** One write into one file of a new group. */
export interface CgroupSetting {
  readonly file: string;
  readonly value: string;
  readonly controller: Controller;
  /** What the value is about, to be put before it by number: see {@link IoLimit.device}. */
  readonly device: string | undefined;
  /** Kernels may be built without this file, and then do without. */
  readonly optional: boolean;
}

/** The group that a launch asks for. */
export interface CgroupPlan {
  /** The delegated group that it goes beneath; undefined: the one that is found. */
  readonly parent: string | undefined;
  readonly settings: readonly CgroupSetting[];
  /** What becomes of processes that the child has left behind in it. */
  readonly survivors: "kill" | "keep";
}

/** The keys of `limits` that are checked here. */
export const CGROUP_LIMIT_KEYS: ReadonlySet<string> = new Set(["memory", "pids", "cpuWeight", "cpuMax", "io"]);

/** No dynamically linked program fits into less; smaller numbers are megabytes by mistake. */
const LEAST_MEMORY = 2 ** 20;
/** PID_MAX_LIMIT of 64-bit kernels. */
const MOST_PIDS = 4_194_304;
/** Bounds of the CPU controller, in microseconds. */
const PERIOD = { least: 1000, most: 1_000_000, usual: 100_000 } as const;
const LEAST_QUOTA = 1000;
const MOST_CPUS = 8192;

const CPU_MAX_KEYS: ReadonlySet<string> = new Set(["quota", "period"]);
/** The options of {@link IoLimit}, by the names that io.max has for them. */
const IO_KEYS = { rbps: "readBytes", wbps: "writeBytes", riops: "readOps", wiops: "writeOps" } as const;
const IO_OPTION_KEYS: ReadonlySet<string> = new Set(["device", ...Object.values(IO_KEYS)]);

/**
 * Checks `cgroup` and those of `limits` that are {@link CGROUP_LIMIT_KEYS}; others are somebody else's.
 *
 * @param limits a bag whose keys were checked.
 * @returns undefined where neither asks for a group.
 * @throws InvalidOptionError
 */
export function planCgroup(
  limits: { readonly [Key in keyof CgroupLimits]?: unknown },
  cgroup: unknown,
  survivors: "kill" | "keep" = "kill",
): CgroupPlan | undefined {
  const { memory, pids, cpuWeight, cpuMax, io } = limits;
  const settings: CgroupSetting[] = [];
  const set = (controller: Controller, file: string, value: string | number, optional = false): void =>
    void settings.push(Object.freeze({ file, value: `${value}`, controller, device: undefined, optional }));
  if (memory !== undefined) {
    set("memory", "memory.max", integer("limits.memory", memory, LEAST_MEMORY, Number.MAX_SAFE_INTEGER));
    // Without this the group would swap, and slow down the machine, instead of meeting its limit.
    set("memory", "memory.swap.max", 0, true);
    // All or nobody: the kernel would else pick one process, perhaps the child's child, and what is left of the
    // helper would go on without it, or exit with a code that tells nothing.
    set("memory", "memory.oom.group", 1);
  }
  if (pids !== undefined) set("pids", "pids.max", integer("limits.pids", pids, 1, MOST_PIDS));
  if (cpuWeight !== undefined) set("cpu", "cpu.weight", integer("limits.cpuWeight", cpuWeight, 1, 10_000));
  if (cpuMax !== undefined) set("cpu", "cpu.max", cpuMaxValue(cpuMax));
  if (io !== undefined) settings.push(...ioSettings(io));
  if (cgroup === undefined && settings.length === 0) return undefined;
  return Object.freeze({
    parent: cgroup === undefined ? undefined : resolve(path("cgroup", cgroup)),
    settings: Object.freeze(settings),
    survivors,
  });
}

function cpuMaxValue(given: unknown): string {
  const name = "limits.cpuMax";
  if (typeof given === "number") {
    const quota = Math.round(given * PERIOD.usual);
    if (!(quota >= LEAST_QUOTA && given <= MOST_CPUS)) {
      throw new InvalidOptionError(
        name,
        given,
        `it must be a number of CPUs from ${LEAST_QUOTA / PERIOD.usual} to ${MOST_CPUS}`,
      );
    }
    return `${quota} ${PERIOD.usual}`;
  }
  const { quota, period } = bag(name, given, CPU_MAX_KEYS);
  const micros = integer(`${name}.period`, period ?? PERIOD.usual, PERIOD.least, PERIOD.most);
  return `${integer(`${name}.quota`, quota, LEAST_QUOTA, micros * MOST_CPUS)} ${micros}`;
}

function ioSettings(given: unknown): readonly CgroupSetting[] {
  return list("limits.io", given, "{ device, … }", (name, entry) => {
    if (entry === undefined) throw new InvalidOptionError(name, entry, "it must be an object");
    const limit = bag(name, entry, IO_OPTION_KEYS);
    const device = text(`${name}.device`, limit["device"], false);
    const bounds = Object.entries(IO_KEYS).flatMap(([word, key]) => {
      const value = limit[key];
      return value === undefined ? [] : [`${word}=${integer(`${name}.${key}`, value, 1, Number.MAX_SAFE_INTEGER)}`];
    });
    if (bounds.length === 0) {
      throw new InvalidOptionError(name, entry, `it must have at least one of ${Object.values(IO_KEYS).join(", ")}`);
    }
    return Object.freeze({
      file: "io.max",
      value: bounds.join(" "),
      controller: "io",
      device: /^\d+:\d+$/.test(device) ? device : resolve(device),
      optional: false,
    });
  });
}
