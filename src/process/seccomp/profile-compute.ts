// The profile "compute", for programs that read their stdin and files, and
// write to fds that they were given: everything else is refused.
//
// execve is allowed. The filter is in place before the program is started, and
// cannot tell the first execve from a second: a program may turn into another
// one, under the same filter, but not start one beside itself.
//
// A filter does not know its own process's pid, so a signal to oneself is
// refused like one to others: abort(3) ends by the instruction that libcs have
// in store for that, with SIGSEGV or SIGTRAP for SIGABRT.
import {
  NO_SET_MM,
  NO_SIGNAL_OWNERS,
  ONLY_OWN_PRCTLS,
  ONLY_SIGURG,
  ONLY_THREADS,
  OWN_LIMITS,
  readOnlyOpens,
  STREAM_IOCTLS,
} from "./argument-rules.ts";
import { words, type Policy } from "./policy.ts";
import { ALLOW, refuse } from "./verdict.ts";

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "its own start and end": words("execve exit exit_group restart_syscall arch_prctl prctl"),
  "open files": words(`
    read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek close close_range dup
    dup2 dup3 fcntl flock ftruncate fallocate fsync fdatasync sync_file_range fadvise64 readahead cachestat
    sendfile splice tee vmsplice copy_file_range
  `),
  // Stdin or stdout may be a socket; no new one can be had.
  "sockets that it was given": words(`
    recvfrom recvmsg recvmmsg sendto sendmsg sendmmsg shutdown getsockopt getsockname getpeername
  `),
  waiting: words(`
    poll ppoll select pselect6 pipe pipe2 eventfd eventfd2 signalfd signalfd4 epoll_create epoll_create1
    epoll_ctl epoll_wait epoll_pwait epoll_pwait2 timerfd_create timerfd_settime timerfd_gettime
  `),
  "the file system, for reading": words(`
    stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat
    getdents getdents64 getcwd chdir fchdir umask getxattr lgetxattr fgetxattr getxattrat listxattr
    llistxattr flistxattr listxattrat file_getattr
  `),
  memory: words(`
    brk mmap munmap mprotect mremap madvise msync mincore memfd_create mseal mlock mlock2 munlock mlockall
    munlockall membarrier map_shadow_stack pkey_mprotect pkey_alloc pkey_free mbind get_mempolicy
    set_mempolicy set_mempolicy_home_node
  `),
  threads: words(`
    futex futex_waitv futex_wake futex_wait futex_requeue set_robust_list get_robust_list set_tid_address
    rseq gettid getcpu sched_yield sched_getaffinity sched_getattr sched_getparam sched_getscheduler
    sched_get_priority_max sched_get_priority_min sched_rr_get_interval
  `),
  "signals that it gets": words(`
    rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigsuspend rt_sigreturn sigaltstack pause
    wait4 waitid
  `),
  time: words(`
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times alarm getitimer setitimer
    timer_create timer_settime timer_gettime timer_getoverrun timer_delete
  `),
  "what it is, and where": words(`
    getpid getppid getpgrp getpgid getsid getuid geteuid getgid getegid getgroups getresuid getresgid capget
    uname sysinfo getrusage getrlimit setrlimit getpriority ioprio_get getrandom
  `),
  "tighter restrictions": words("seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self"),
  // The kernel has tracers' probes make these; refused, they would crash a program that someone observes.
  probes: words("uretprobe uprobe"),
};

/** They say what opening for writing says: the program sees a file system that is read-only. */
const WRITING = words(`
    creat mkdir mkdirat mknod mknodat rmdir unlink unlinkat truncate rename renameat renameat2 link linkat
    symlink symlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat
    utimensat file_setattr setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr
    removexattrat
  `);

export const COMPUTE_PROFILE: Policy = {
  rules: [
    { syscalls: Object.values(ALLOWED).flat(), verdict: ALLOW },
    { syscalls: WRITING, verdict: refuse("EROFS") },
    ...readOnlyOpens(refuse("EROFS")),
    ...ONLY_THREADS,
    ...STREAM_IOCTLS,
    OWN_LIMITS,
    ONLY_SIGURG,
    NO_SIGNAL_OWNERS,
    ONLY_OWN_PRCTLS,
    NO_SET_MM,
  ],
  otherwise: refuse("EPERM"),
  unknown: refuse("ENOSYS"),
};
