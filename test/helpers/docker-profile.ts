// What Docker's default seccomp profile refuses to a container without CAP_SYS_ADMIN, of the system calls that
// anything here makes or might make: clone3 does not exist, so that a C library falls back on clone, whose flags the
// profile can see. It is a list of what is allowed; this is what that leaves out.
import { NUMBERS, type Arch } from "#pidpool/process/seccomp/numbers.js";
import type { Refusal } from "./seccomp.ts";

const EPERM = 1;
const ENOSYS = 38;

/** mnt, cgroup, uts, ipc, user, pid, net: the profile forgets the namespace of time, which clone cannot make either. */
const CLONE_NAMESPACES = 0x7e020000;

const REFUSED = [
  ["unshare", "setns"],
  ["mount", "mount_setattr", "move_mount", "open_tree", "umount2", "pivot_root"],
  ["fsconfig", "fsmount", "fsopen", "fspick"],
  ["bpf", "perf_event_open", "userfaultfd", "fanotify_init", "open_by_handle_at", "kcmp", "pidfd_getfd"],
  ["add_key", "keyctl", "request_key"],
  ["sethostname", "setdomainname", "syslog", "quotactl", "acct", "swapon", "swapoff", "reboot", "vhangup"],
  ["init_module", "finit_module", "delete_module", "kexec_load", "settimeofday", "clock_settime"],
].flat();

/** libuv does not survive to lose a ring that it has: Node 24 makes one as it starts. */
const REFUSED_FROM_THE_START = ["io_uring_enter", "io_uring_register", "io_uring_setup"];

/**
 * For the filter of {@link refusalFilter}.
 *
 * @param when "started": for a Node that runs already, which nothing is taken from that it uses itself.
 */
export function dockerProfile(arch: Arch, when: "starting" | "started"): readonly Refusal[] {
  const numbers = NUMBERS[arch];
  const number = (name: string): number => {
    const nr = numbers.get(name);
    if (nr === undefined) throw new Error(`there is no system call ${name}`);
    return nr;
  };
  return [
    { nr: number("clone3"), errno: ENOSYS },
    { nr: number("clone"), errno: EPERM, flags: CLONE_NAMESPACES },
    ...[...REFUSED, ...(when === "starting" ? REFUSED_FROM_THE_START : [])].map((name) => ({
      nr: number(name),
      errno: EPERM,
    })),
  ];
}
