// Why a machine refuses an isolation, as far as can be told, and the remedy.
import { IsolationError, quoted } from "../errors.ts";
import { EACCES, EINVAL, ENOENT, ENOSPC, ENOSYS, EPERM, errnoMeaning, errnoName } from "../native/errno.ts";
import { contentOf, sysctl } from "../native/sysctl.ts";
import { capabilityName } from "./capabilities.ts";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from "./isolation.ts";
import { hasCapabilities } from "./own-rights.ts";
import type { LaunchSpec } from "./spec.ts";

/** The stages that confine a child, and what each tries. */
const STAGES: Readonly<Record<string, readonly [syscall: string, what: string]>> = {
  uid_map: ["write", "mapping ids into a new user namespace"],
  setns: ["setns", "entering namespaces"],
  unshare: ["unshare", "making namespaces"],
  mount: ["mount", "arranging mounts"],
  hostname: ["sethostname", "setting the host name"],
  loopback: ["ioctl", "bringing up the loopback interface"],
  capabilities: ["capset", "giving up capabilities"],
  no_new_privs: ["prctl", "setting no_new_privs"],
  seccomp: ["seccomp", "installing the seccomp filter"],
  guardian: ["execve", "starting the process that holds the namespaces"],
};

const DOCKER =
  "in a container, let its seccomp profile allow clone3, unshare, setns and mount (docker run --security-opt seccomp=…)";

interface Cause {
  readonly why: string;
  readonly remedy: string;
}

/** The error of a launch that failed at a stage of isolation; undefined for other stages. */
export async function isolationError(
  spec: LaunchSpec,
  stage: string,
  errno: number,
  detail: number,
): Promise<IsolationError | undefined> {
  const known =
    (Object.hasOwn(STAGES, stage) ? STAGES[stage] : undefined) ??
    (stage === "clone" && REFUSALS.has(errno) ? cloned(spec) : undefined);
  if (known === undefined) return undefined;
  const [syscall, what] = known;
  const cause = causeOf(stage, errno, detail);
  const name = errnoName(errno);
  return new IsolationError(
    stage,
    `cannot isolate ${quoted(spec.file)}: ${what} failed with ${name} (${cause.why}); ${cause.remedy}`,
    { syscall, errno: name, remedy: cause.remedy },
  );
}

/** What clone3 was needed for, beside the child. */
function cloned({ isolation, cgroup }: LaunchSpec): readonly [syscall: string, what: string] | undefined {
  if (isolation.home !== "none" || isolation.makes) return ["clone3", "making namespaces"];
  return cgroup === undefined ? undefined : ["clone3", "starting it in its cgroup"];
}

/** Other errors of clone3 mean that something has run out. */
const REFUSALS: ReadonlySet<number> = new Set([EPERM, EACCES, ENOSYS, ENOSPC, EINVAL]);

function causeOf(stage: string, errno: number, detail: number): Cause {
  if (stage === "capabilities" && detail < 64) {
    const name = capabilityName(detail);
    return {
      why: `this process lacks ${name}`,
      remedy: `leave ${name} out of isolation.capabilities, or give it to this process`,
    };
  }
  if (stage === "guardian") {
    return {
      why: "it was killed again and again as soon as it ran",
      remedy: "look for what kills pidpool-guardian, such as a watchdog or a security module",
    };
  }
  if (errno === ENOSYS) return { why: "the system call is not there, or a seccomp filter hides it", remedy: DOCKER };
  if (errno === ENOSPC) return limitCause(stage, stage === "unshare" ? detail : CLONE_NEWUSER | CLONE_NEWPID);
  if (errno === EPERM || errno === EACCES) return refusal(stage);
  if (errno === EINVAL && stage === "unshare" && (detail & CLONE_NEWTIME) !== 0) {
    return {
      why: "the kernel has no time namespaces for a program that is started here",
      remedy: "leave isolation.time out, or use a kernel that has them",
    };
  }
  if (errno === EINVAL)
    return { why: "the kernel lacks this kind of namespace", remedy: "use a kernel that has it, or another isolation" };
  if (errno === ENOENT && stage === "mount") {
    return { why: "a path of isolation.mount does not exist", remedy: "name paths that exist" };
  }
  return { why: errnoMeaning(errno), remedy: 'see docs/isolation.md, or use isolation: "none"' };
}

/** The kinds of namespaces, by the flags that make them; the names are those of the limits. */
const KINDS: readonly (readonly [flag: number, kind: string])[] = [
  [CLONE_NEWUSER, "user"],
  [CLONE_NEWNET, "net"],
  [CLONE_NEWPID, "pid"],
  [CLONE_NEWNS, "mnt"],
  [CLONE_NEWIPC, "ipc"],
  [CLONE_NEWUTS, "uts"],
  [CLONE_NEWCGROUP, "cgroup"],
  [CLONE_NEWTIME, "time"],
];

/** Too many of something. `flags`: of the namespaces that were asked for. */
function limitCause(stage: string, flags: number): Cause {
  if (stage === "mount") {
    return { why: `fs.mount-max is ${sysctl("fs.mount-max")}`, remedy: "raise it with sysctl -w" };
  }
  const wanted = KINDS.filter(([flag]) => (flags & flag) !== 0).map(([, kind]) => `user.max_${kind}_namespaces`);
  const none = wanted.find((name) => sysctl(name) === "0");
  if (none !== undefined) return { why: `${none} is 0`, remedy: `sysctl -w ${none}=10000` };
  const limits = wanted.map((name) => `${name} is ${sysctl(name)}`).join(", ");
  return {
    why: `a user has too many namespaces, or they are nested too deeply: ${limits}`,
    remedy: "raise that with sysctl -w, here or in the user namespace above",
  };
}

function refusal(stage: string): Cause {
  if (stage === "uid_map" && process.geteuid?.() === 0 && !hasCapabilities("CAP_SETFCAP")) {
    return {
      why: "root may map itself into a user namespace only with CAP_SETFCAP",
      remedy: "give this process CAP_SETFCAP, or run it as another user",
    };
  }
  if (sysctl("kernel.apparmor_restrict_unprivileged_userns") === "1") {
    return {
      why: "AppArmor restricts user namespaces of unprofiled programs (kernel.apparmor_restrict_unprivileged_userns is 1)",
      remedy:
        "give node an AppArmor profile with the rule userns, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    };
  }
  if (sysctl("kernel.unprivileged_userns_clone") === "0") {
    return {
      why: "kernel.unprivileged_userns_clone is 0",
      remedy: "sysctl -w kernel.unprivileged_userns_clone=1",
    };
  }
  if (seccompMode() === "2") return { why: "a seccomp filter is in force here, such as a container's", remedy: DOCKER };
  if (stage === "mount") {
    return {
      why: "mounting is refused; a container that hides parts of /proc also refuses a new /proc",
      remedy: "leave out isolation.mount.proc, or run the container with an unmasked /proc",
    };
  }
  return {
    why: "this process has not the right to it",
    remedy: "leave isolation.user out, so that a user namespace gives the right, or run with CAP_SYS_ADMIN",
  };
}

function seccompMode(): string | undefined {
  return /^Seccomp:\s*(\d)/m.exec(contentOf("/proc/thread-self/status") ?? "")?.[1];
}
