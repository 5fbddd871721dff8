// The option seccomp: its public types, and its check.
import { InvalidOptionError } from "../../errors.ts";
import { errnoNumber } from "../../native/errno.ts";
import { bag, list, oneOf, text } from "../validate.ts";
import { isSyscall, similarSyscall } from "./numbers.ts";
import { decide, type Policy, type Rule } from "./policy.ts";
import { COMPUTE_PROFILE } from "./profile-compute.ts";
import { DEFAULT_PROFILE } from "./profile-default.ts";
import { ALLOW, KILL_PROCESS, LOG, refuse, type Verdict } from "./verdict.ts";

/**
 * A filter that comes with the library.
 *
 * - `"default"` refuses what no helper needs: tracing and reading other processes, mounts, namespaces, kernel modules,
 *   keyrings, BPF, io_uring, userfaultfd, clocks, device files, rare socket families. Ordinary programs run.
 * - `"compute"` is for programs that turn input into output: it allows to read files, to write to open fds, memory,
 *   threads and time; no new processes, sockets, signals, and no change to any file system.
 */
export type SeccompProfile = "default" | "compute";

/**
 * What becomes of a system call.
 *
 * - `"allow"`: it is made.
 * - `"log"`: it is made, and the kernel writes a line of type SECCOMP to the audit log, or to its own where no auditd
 *   runs.
 * - `"kill"`: the process, with all its threads, dies of SIGSYS.
 * - `{ errno }`: it is not made, and fails with this errno(3), e.g. `{ errno: "EPERM" }`.
 */
export type SeccompAction = "allow" | "log" | "kill" | { readonly errno: string };

/** An action for some system calls. */
export interface SeccompRule {
  /**
   * Names as in syscalls(2), as the kernel has them: `newfstatat`, `prlimit64`. Names of calls that only one
   * architecture has (`open`, `fork`: x64) are in order on both. Mind the relatives of a call: `open`, `openat` and
   * `openat2`, or `fork`, `vfork`, `clone` and `clone3`.
   */
  readonly syscalls: readonly string[];
  readonly action: SeccompAction;
}

/** A profile with changes, or a filter of your own. */
export interface SeccompOptions {
  /** What to start from; nothing, if left out. */
  readonly profile?: SeccompProfile;
  /**
   * For the system calls that neither a rule nor the profile speaks of. By default what the profile has for them
   * (`"default"` allows, `"compute"` says EPERM), and `"allow"` without one.
   */
  readonly default?: SeccompAction;
  /** Of several rules for a call the last one decides, and every one before the profile. */
  readonly rules?: readonly SeccompRule[];
}

/**
 * The value of the option `seccomp`: a filter on the system calls of a child and all its descendants, seccomp(2).
 * It is in place when the program starts, and nothing takes it off again. The child has no_new_privs(7).
 *
 * In every filter, calls by another ABI (32-bit programs) kill the process, and calls that this version of the library
 * does not know, of a newer kernel, fail with ENOSYS as if the kernel were older; unless `default` is `"log"`.
 */
export type SeccompOption = SeccompProfile | SeccompOptions;

/** The option, checked. Plain data: the same text in JSON means the same filter. */
export interface SeccompPlan {
  readonly profile: SeccompProfile | undefined;
  readonly otherwise: Verdict | undefined;
  readonly rules: readonly Rule[];
}

const PROFILE_NAMES = ["default", "compute"] as const;
const PROFILES: Readonly<Record<SeccompProfile, Policy>> = { default: DEFAULT_PROFILE, compute: COMPUTE_PROFILE };
const NO_PROFILE: Policy = { rules: [], otherwise: ALLOW, unknown: refuse("ENOSYS") };

const KEYS = new Set(["profile", "default", "rules"]);
const RULE_KEYS = new Set(["syscalls", "action"]);
const ACTION_KEYS = new Set(["errno"]);

/** Without these no program starts, or ends; the filter is in place before execve(2). */
const NEEDED = ["execve", "exit", "exit_group"];

/**
 * Checks the option.
 *
 * @throws InvalidOptionError
 */
export function planSeccomp(option: unknown): SeccompPlan {
  if (typeof option !== "object" || option === null) {
    if (option === "default" || option === "compute") return { profile: option, otherwise: undefined, rules: [] };
    throw new InvalidOptionError("seccomp", option, 'it must be "default", "compute", or { profile, default, rules }');
  }
  const o = bag("seccomp", option, KEYS);
  const profile = o["profile"];
  const otherwise = o["default"];
  const plan: SeccompPlan = {
    profile: profile === undefined ? undefined : oneOf("seccomp.profile", profile, PROFILE_NAMES),
    otherwise: otherwise === undefined ? undefined : action("seccomp.default", otherwise),
    rules: list("seccomp.rules", o["rules"] ?? [], "rules", rule),
  };
  const policy = policyOf(plan);
  for (const name of NEEDED) {
    if (decide(policy, name).some(({ verdict }) => verdict !== ALLOW && verdict !== LOG)) {
      throw new InvalidOptionError("seccomp", option, `it must allow ${name}: no program starts and ends without it`);
    }
  }
  return plan;
}

/** The profile with the plan's changes. */
export function policyOf(plan: SeccompPlan): Policy {
  const base = plan.profile === undefined ? NO_PROFILE : PROFILES[plan.profile];
  return {
    rules: [...base.rules, ...plan.rules],
    otherwise: plan.otherwise ?? base.otherwise,
    // "log" is for finding out what a program does: it changes nothing.
    unknown: plan.otherwise === LOG ? LOG : base.unknown,
  };
}

function rule(name: string, value: unknown): Rule {
  const o = bag(name, value, RULE_KEYS);
  return {
    syscalls: list(`${name}.syscalls`, o["syscalls"], "names", syscallName),
    verdict: action(`${name}.action`, o["action"]),
  };
}

function syscallName(name: string, value: unknown): string {
  const syscall = text(name, value);
  if (isSyscall(syscall)) return syscall;
  const similar = similarSyscall(syscall);
  const advice = similar === undefined ? "see syscalls(2)" : `did you mean ${JSON.stringify(similar)}?`;
  throw new InvalidOptionError(name, value, `there is no such system call; ${advice}`);
}

function action(name: string, value: unknown): Verdict {
  switch (value) {
    case "allow":
      return ALLOW;
    case "log":
      return LOG;
    case "kill":
      return KILL_PROCESS;
  }
  if (typeof value !== "object" || value === null) {
    throw new InvalidOptionError(name, value, 'it must be "allow", "log", "kill" or { errno }');
  }
  const { errno } = bag(name, value, ACTION_KEYS);
  if (typeof errno !== "string" || errnoNumber(errno) === 0) {
    throw new InvalidOptionError(`${name}.errno`, errno, 'it must be a name of errno(3) such as "EPERM"');
  }
  return refuse(errno);
}
