// Numbers of the system calls that TypeScript makes, per architecture, with the
// kernel version that brought each of the young ones.

/** System calls by name. */
export interface SyscallNumbers {
  readonly bind: number;
  readonly capget: number;
  readonly clock_gettime: number;
  readonly close: number;
  readonly connect: number;
  readonly dup3: number;
  readonly epoll_create1: number;
  readonly epoll_ctl: number;
  readonly epoll_pwait: number;
  readonly eventfd2: number;
  readonly fchmod: number;
  readonly fcntl: number;
  readonly futex: number;
  readonly getpid: number;
  readonly getrusage: number;
  readonly getsockname: number;
  readonly getsockopt: number;
  readonly ioctl: number;
  readonly kill: number;
  readonly listen: number;
  readonly mmap: number;
  readonly madvise: number;
  readonly mremap: number;
  readonly munmap: number;
  readonly nanosleep: number;
  readonly openat: number;
  readonly pipe2: number;
  readonly ppoll: number;
  readonly prlimit64: number;
  readonly read: number;
  readonly recvmsg: number;
  readonly setsockopt: number;
  readonly socket: number;
  readonly sendto: number;
  readonly socketpair: number;
  readonly waitid: number;
  readonly write: number;
  /** Linux 5.1 */
  readonly pidfd_send_signal: number;
  /** Linux 5.3 */
  readonly pidfd_open: number;
  /** Linux 5.9 */
  readonly close_range: number;
  /** Linux 5.13 */
  readonly landlock_create_ruleset: number;
}

const young = { pidfd_send_signal: 424, pidfd_open: 434, close_range: 436, landlock_create_ruleset: 444 } as const;

export const SYSCALL_NUMBERS: Readonly<Record<"x64" | "arm64", SyscallNumbers>> = {
  x64: {
    read: 0,
    capget: 125,
    write: 1,
    close: 3,
    clock_gettime: 228,
    mmap: 9,
    munmap: 11,
    ioctl: 16,
    mremap: 25,
    madvise: 28,
    nanosleep: 35,
    getpid: 39,
    socket: 41,
    connect: 42,
    recvmsg: 47,
    bind: 49,
    sendto: 44,
    listen: 50,
    getsockname: 51,
    socketpair: 53,
    setsockopt: 54,
    getsockopt: 55,
    kill: 62,
    fcntl: 72,
    fchmod: 91,
    getrusage: 98,
    futex: 202,
    epoll_ctl: 233,
    waitid: 247,
    openat: 257,
    ppoll: 271,
    epoll_pwait: 281,
    eventfd2: 290,
    epoll_create1: 291,
    dup3: 292,
    pipe2: 293,
    prlimit64: 302,
    ...young,
  },
  arm64: {
    capget: 90,
    eventfd2: 19,
    epoll_create1: 20,
    epoll_ctl: 21,
    epoll_pwait: 22,
    dup3: 24,
    fcntl: 25,
    ioctl: 29,
    fchmod: 52,
    openat: 56,
    close: 57,
    clock_gettime: 113,
    pipe2: 59,
    read: 63,
    write: 64,
    ppoll: 73,
    waitid: 95,
    futex: 98,
    nanosleep: 101,
    kill: 129,
    getrusage: 165,
    getpid: 172,
    socket: 198,
    socketpair: 199,
    bind: 200,
    listen: 201,
    connect: 203,
    getsockname: 204,
    setsockopt: 208,
    getsockopt: 209,
    recvmsg: 212,
    sendto: 206,
    munmap: 215,
    mremap: 216,
    mmap: 222,
    madvise: 233,
    prlimit64: 261,
    ...young,
  },
};
