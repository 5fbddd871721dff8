// What has run out, for people: the limit behind an errno, its value, and what
// raises it. This library changes no limit. All this looks after the failure, when
// something may have ended already: where no limit is seen to be met, those that
// it can have been are listed.
import { EAGAIN, EMFILE, ENFILE, ENOMEM, ENOSPC } from "./errno.ts";
import { fullGroup } from "./own-groups.ts";
import { contentOf, sysctl, sysctlNumber } from "./sysctl.ts";
import { effectiveCapabilities, resourceLimits, type ResourceLimits } from "./syscalls.ts";

const RLIMIT_STACK = 3;
const RLIMIT_NPROC = 6;
const RLIMIT_NOFILE = 7;
const CAP_SYS_ADMIN = 21n;
const CAP_SYS_RESOURCE = 24n;
/** A limit of which so much is in use is taken for the one that was met. */
const NEARLY = 0.98;
/** The kernel's own limits on what execve is given: MAX_ARG_STRLEN, ARG_MAX, and three quarters of _STK_LIM. */
const LONGEST_STRING = 131_071;
const LEAST_ARGUMENTS = 131_072;
const MOST_ARGUMENTS = 6 * 1024 * 1024;

/** Undefined for an errno that tells of no shortage. */
export function explainShortage(errno: number): string | undefined {
  switch (errno) {
    case EMFILE:
      return `this process has too many open files: ${openFiles(resourceLimits(RLIMIT_NOFILE))}`;
    case ENFILE:
      return `the system has too many open files: ${systemFiles()}`;
    case EAGAIN:
      return `too many processes: ${processes()}`;
    case ENOMEM:
      return `out of memory: ${memory()}`;
    case ENOSPC:
      return `too much is watched: ${watches()}`;
    default:
      return undefined;
  }
}

function openFiles({ soft, hard }: ResourceLimits): string {
  if (soft < hard) {
    return `RLIMIT_NOFILE is ${soft}, and may be raised to ${hard} (prlimit --pid ${process.pid} --nofile=${hard})`;
  }
  return (
    `RLIMIT_NOFILE is ${soft}, the hard limit; start it with a higher one (ulimit -Hn as root, LimitNOFILE= of ` +
    "systemd, docker run --ulimit nofile=)"
  );
}

function systemFiles(): string {
  const most = sysctlNumber("fs.file-max");
  const pages = sysctlNumber("fs.pipe-user-pages-hard") ?? 0;
  // A pipe that its user may not have is refused with the same errno.
  const pipes =
    pages > 0 ? `, or this user's pipes are as large as fs.pipe-user-pages-hard allows, ${pages} pages` : "";
  return `fs.file-max is ${most ?? "met"}${pipes}; raise it with sysctl -w`;
}

function processes(): string {
  const group = fullGroup("pids", 1);
  if (group !== undefined)
    return `${group.file} is ${group.limit}; write a higher number there, or TasksMax= of systemd`;
  // Of all processes and threads of the system.
  const tasks = Number(/^(?:\S+ ){3}\d+\/(\d+)/.exec(contentOf("/proc/loadavg") ?? "")?.[1] ?? 0);
  const system = ["kernel.pid_max", "kernel.threads-max"].map((name) => ({ name, most: sysctlNumber(name) }));
  const met = system.find(({ most }) => most !== undefined && tasks >= most * NEARLY);
  if (met !== undefined) return `${met.name} is ${met.most}; raise it with sysctl -w`;
  const { soft } = resourceLimits(RLIMIT_NPROC);
  const raise = "ulimit -u, LimitNPROC= of systemd";
  if (soft !== Infinity && !mayExceedProcesses()) {
    return `RLIMIT_NPROC is ${soft} for all processes of this user; start with a higher one (${raise})`;
  }
  const settings = system.flatMap(({ name, most }) => (most === undefined ? [] : [`, ${name} is ${most}`]));
  return `RLIMIT_NPROC (${raise}) is ${soft}${settings.join("")}, and a cgroup above may have a pids.max`;
}

/** At execve it is the child's user whose processes are counted, and no other limit is looked at. */
export function explainUserProcesses(): string {
  const { soft } = resourceLimits(RLIMIT_NPROC);
  return `its user has too many processes: RLIMIT_NPROC is ${soft} here (ulimit -u, LimitNPROC= of systemd)`;
}

/** The kernel exempts root and those who may do as they like with limits. */
function mayExceedProcesses(): boolean {
  const own = effectiveCapabilities();
  if (process.getuid?.() === 0) return true;
  return typeof own === "bigint" && ((own >> CAP_SYS_ADMIN) & 1n || (own >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

function memory(): string {
  const group = fullGroup("memory", NEARLY);
  if (group !== undefined)
    return `${group.file} is ${group.limit}; write a higher number there, or MemoryMax= of systemd`;
  const sizes = contentOf("/proc/meminfo") ?? "";
  const kib = (name: string): number | undefined => {
    const digits = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(sizes)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const [limit, committed] = [kib("CommitLimit"), kib("Committed_AS")];
  if (sysctl("vm.overcommit_memory") === "2" && limit !== undefined && committed !== undefined) {
    return (
      `vm.overcommit_memory is 2, and ${committed} of ${limit} KiB are promised; raise vm.overcommit_ratio, or set ` +
      "vm.overcommit_memory to 0"
    );
  }
  const mappings = (contentOf("/proc/self/maps") ?? "").split("\n").length - 1;
  const most = sysctlNumber("vm.max_map_count");
  if (most !== undefined && mappings >= most * NEARLY) return `vm.max_map_count is ${most}; raise it with sysctl -w`;
  return `the system has ${kib("MemAvailable") ?? "too few"} KiB left`;
}

function watches(): string {
  return `fs.epoll.max_user_watches is ${sysctlNumber("fs.epoll.max_user_watches") ?? "met"}; raise it with sysctl -w`;
}

/** @param stack The child's own limit, where it has one. */
export function explainArguments(stack: number | undefined): string {
  const most = stack ?? resourceLimits(RLIMIT_STACK).soft;
  const room = Math.max(LEAST_ARGUMENTS, Math.min(Math.floor(most / 4), MOST_ARGUMENTS));
  return (
    `its arguments and environment together are too long: there is room for ${room} bytes (a quarter of ` +
    `${stack === undefined ? "RLIMIT_STACK" : "limits.stack"}, at most ${MOST_ARGUMENTS}), and for ${LONGEST_STRING} in each`
  );
}
