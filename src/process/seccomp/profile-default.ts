// The profile "default": what no helper needs is refused, the rest allowed.
//
// It lists what it refuses, because an allow-list refuses whatever its author
// did not think of (containers' profiles broke programs with statx, clone3 and
// faccessat2, one after the other). What makes a list of refusals safe is that
// it need not know the future: numbers beyond the tables are ENOSYS. To a
// program that is an older kernel, and libcs fall back; EPERM, the usual
// answer of an allow-list, would make them give up.
import {
  COMMON_PERSONALITIES,
  COMMON_SOCKETS,
  NO_DEVICE_FILES,
  NO_NAMESPACES,
  NO_SET_MM,
  NO_TERMINAL_INPUT,
} from "./argument-rules.ts";
import { words, type Policy } from "./policy.ts";
import { ALLOW, refuse } from "./verdict.ts";

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  "other processes' memory, registers and files": words(`
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd move_pages
    migrate_pages
  `),
  "the kernel's code": words("init_module finit_module delete_module kexec_load kexec_file_load bpf"),
  "its state": words(`
    reboot swapon swapoff acct quotactl quotactl_fd syslog vhangup sethostname setdomainname iopl ioperm
    modify_ldt
  `),
  "the clock": words("settimeofday clock_settime adjtimex clock_adjtime"),
  "mounts and roots": words(`
    mount umount2 pivot_root chroot open_tree open_tree_attr move_mount mount_setattr fsopen fsconfig
    fsmount fspick
  `),
  // A handle opens any file of a file system, past every chroot and bind mount.
  "files and namespaces past their paths": words("open_by_handle_at listns"),
  keyring: words("add_key request_key keyctl"),
  // It does the work of other calls where no filter sees it. libuv and others look for it, and do without.
  io_uring: words("io_uring_setup io_uring_enter io_uring_register"),
  "interfaces with a history of holes": words(`
    userfaultfd perf_event_open fanotify_init fanotify_mark lookup_dcookie
  `),
};

/** Gone from the kernel, or never in it. */
const GONE = words(`
  _sysctl uselib create_module get_kernel_syms query_module nfsservctl vserver afs_syscall getpmsg putpmsg
  security tuxcall epoll_ctl_old epoll_wait_old
`);

export const DEFAULT_PROFILE: Policy = {
  rules: [
    { syscalls: Object.values(REFUSED).flat(), verdict: refuse("EPERM") },
    { syscalls: GONE, verdict: refuse("ENOSYS") },
    ...NO_NAMESPACES,
    ...NO_DEVICE_FILES,
    ...COMMON_SOCKETS,
    COMMON_PERSONALITIES,
    NO_TERMINAL_INPUT,
    NO_SET_MM,
  ],
  otherwise: ALLOW,
  unknown: refuse("ENOSYS"),
};
