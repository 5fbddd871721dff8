// The system calls that TypeScript makes, one thin function each: >= 0 or
// -errno, as the kernel says it; no function here throws for what the kernel
// refuses. Kernel ledger of the young ones:
//   5.1  pidfd_send_signal
//   5.3  pidfd_open, clone3, epoll on pidfds
//   5.4  waitid(P_PIDFD)
//   5.5  CLONE_CLEAR_SIGHAND
//   5.9  close_range
//   5.13 landlock_create_ruleset (used where asked for)
//   6.15 PIDFD_GET_INFO with PIDFD_INFO_EXIT (used where found)
//   6.16 PIDFD_INFO_COREDUMP (likewise)
import { withAddress } from "./address.ts";
import { native, type RawSyscall } from "./load.ts";
import type { SyscallNumbers } from "./syscall-numbers.ts";

let syscall: RawSyscall;
let nr: SyscallNumbers;
let scratch: Int32Array;
let scratchAddress: number;

function bind(): void {
  const n = native();
  syscall = n.syscall;
  nr = n.nr;
  scratch = new Int32Array(64);
  scratchAddress = n.addressOf(scratch);
}

/** Importing this file must not load anything; every function here begins with this. */
function ready(): void {
  if (scratch === undefined) bind();
}

const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_DUPFD_CLOEXEC = 1030;
const F_GETFD = 1;
const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;

const CLOCK_MONOTONIC = 1;

/** CLOCK_MONOTONIC in milliseconds, or -errno. */
export function monotonicClock(): number {
  ready();
  const result = syscall(nr.clock_gettime, CLOCK_MONOTONIC, scratchAddress, 0, 0, 0, 0);
  if (result < 0) return result;
  const [low = 0, high = 0, nanoseconds = 0] = scratch;
  return ((low >>> 0) + high * 2 ** 32) * 1000 + nanoseconds / 1e6;
}

/** close(2). */
export function close(fd: number): number {
  ready();
  return syscall(nr.close, fd, 0, 0, 0, 0, 0);
}

/** close_range(2) of fds from first to last. Linux 5.9. */
export function closeRange(first: number, last: number): number {
  ready();
  return syscall(nr.close_range, first, last, 0, 0, 0, 0);
}

/** Writes the two ends into `out` as [read, write], both close-on-exec. pipe2(2). */
export function pipe(out: Int32Array): number {
  ready();
  const result = syscall(nr.pipe2, scratchAddress, O_CLOEXEC, 0, 0, 0, 0);
  out[0] = scratch[0] ?? -1;
  out[1] = scratch[1] ?? -1;
  return result;
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/** Writes both ends of a connected pair of unix stream sockets into `out`. socketpair(2). */
export function socketPair(out: Int32Array): number {
  ready();
  const result = syscall(nr.socketpair, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, scratchAddress, 0, 0);
  out[0] = scratch[0] ?? -1;
  out[1] = scratch[1] ?? -1;
  return result;
}

/** A stream socket of an address family, close-on-exec. socket(2). */
export function streamSocket(family: number): number {
  ready();
  return syscall(nr.socket, family, SOCK_STREAM | O_CLOEXEC, 0, 0, 0, 0);
}

/** Sets an option whose value is an int. setsockopt(2). */
export function setSocketOption(fd: number, level: number, option: number, value: number): number {
  ready();
  scratch[0] = value;
  return syscall(nr.setsockopt, fd, level, option, scratchAddress, 4, 0);
}

/** The value of an option that is an int from 0 up, or -errno. getsockopt(2). */
export function socketOption(fd: number, level: number, option: number): number {
  ready();
  scratch[1] = 4;
  const result = syscall(nr.getsockopt, fd, level, option, scratchAddress, scratchAddress + 4, 0);
  return result < 0 ? result : (scratch[0] ?? 0);
}

/** bind(2) to an encoded `struct sockaddr`. */
export function bindSocket(fd: number, address: Uint8Array): number {
  ready();
  return withAddress(address, (at) => syscall(nr.bind, fd, at, address.length, 0, 0, 0));
}

/** connect(2). */
export function connectSocket(fd: number, address: Uint8Array): number {
  ready();
  return withAddress(address, (at) => syscall(nr.connect, fd, at, address.length, 0, 0, 0));
}

/** listen(2). */
export function listenSocket(fd: number, backlog: number): number {
  ready();
  return syscall(nr.listen, fd, backlog, 0, 0, 0, 0);
}

/** The address that a socket is bound to, as an encoded `struct sockaddr`; or -errno. getsockname(2). */
export function socketName(fd: number): Uint8Array | number {
  ready();
  scratch[0] = 128;
  const result = syscall(nr.getsockname, fd, scratchAddress + 8, scratchAddress, 0, 0, 0);
  return result < 0 ? result : new Uint8Array(scratch.buffer, 8, Math.min(scratch[0], 128)).slice();
}

/** Permissions of an open file, or those that a unix socket will be bound with (less the umask). fchmod(2). */
export function fchmod(fd: number, mode: number): number {
  ready();
  return syscall(nr.fchmod, fd, mode, 0, 0, 0, 0);
}

const SOL_SOCKET = 1;
const SO_PASSCRED = 16;

/** A unix datagram socket whose messages tell who sent them; close-on-exec, non-blocking. socket(2), SO_PASSCRED in unix(7). */
export function datagramSocket(): number {
  ready();
  const SOCK_DGRAM = 2;
  const fd = syscall(nr.socket, AF_UNIX, SOCK_DGRAM | O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0);
  if (fd < 0) return fd;
  scratch[0] = 1;
  const result = syscall(nr.setsockopt, fd, SOL_SOCKET, SO_PASSCRED, scratchAddress, 4, 0);
  if (result >= 0) return fd;
  close(fd);
  return result;
}

/** Bytes that a path of a unix socket may have, its NUL included. */
export const SUN_PATH = 108;

/** Binds a unix socket to a path, which must be free. bind(2). */
export function bindPath(fd: number, path: string): number {
  ready();
  const address = Buffer.alloc(2 + SUN_PATH);
  address.writeUInt16LE(AF_UNIX);
  const length = address.write(path, 2, "utf8");
  return withAddress(address, (at) => syscall(nr.bind, fd, at, 2 + length + 1, 0, 0, 0));
}

/** recvmsg(2) that does not wait; `struct msghdr` in native memory. */
export function receiveMessage(fd: number, header: number): number {
  ready();
  const MSG_DONTWAIT = 0x40;
  return syscall(nr.recvmsg, fd, header, MSG_DONTWAIT, 0, 0, 0);
}

/** Makes reads and writes of the open file behind fd return -EAGAIN instead of waiting. */
export function setNonblocking(fd: number): number {
  ready();
  return syscall(nr.fcntl, fd, F_SETFL, O_NONBLOCK, 0, 0, 0);
}

/** Asks for a larger pipe; unprivileged users have a quota, so it may fail without harm. */
export function setPipeSize(fd: number, bytes: number): number {
  ready();
  return syscall(nr.fcntl, fd, F_SETPIPE_SZ, bytes, 0, 0, 0);
}

/** The lowest free fd that is at least `from`, for the same open file. */
export function dupFrom(fd: number, from: number): number {
  ready();
  return syscall(nr.fcntl, fd, F_DUPFD_CLOEXEC, from, 0, 0, 0);
}

/** Whether this many fds could be opened now. */
export function hasRoomForFds(count: number): boolean {
  const fds: number[] = [];
  for (let fd = 0; fds.length < count && fd >= 0;) {
    fd = eventfd();
    if (fd >= 0) fds.push(fd);
  }
  for (const fd of fds) close(fd);
  return fds.length === count;
}

/** The capabilities in effect for this thread, or -errno. capget(2) */
export function effectiveCapabilities(): bigint | number {
  ready();
  const VERSION_3 = 0x20080522;
  const header = new Uint32Array([VERSION_3, 0]);
  const data = new Uint32Array(6);
  const result = withAddress(header, (head) => withAddress(data, (sets) => syscall(nr.capget, head, sets, 0, 0, 0, 0)));
  return result < 0 ? result : BigInt(data[0] ?? 0) | (BigInt(data[3] ?? 0) << 32n);
}

/** >= 0 where fd is open. */
export function fdFlags(fd: number): number {
  ready();
  return syscall(nr.fcntl, fd, F_GETFD, 0, 0, 0, 0);
}

function open(path: string, flags: number): number {
  ready();
  const AT_FDCWD = -100;
  const bytes = new TextEncoder().encode(`${path}\0`);
  return withAddress(bytes, (at) => syscall(nr.openat, AT_FDCWD, at, flags | O_CLOEXEC, 0, 0, 0));
}

/** Opens /dev/null for reading and writing. */
export function openDevNull(): number {
  const O_RDWR = 2;
  return open("/dev/null", O_RDWR);
}

/** Opens a file to read, or to hold it open. openat(2). */
export function openFile(path: string): number {
  return open(path, 0);
}

/** Opens what is there to write to it without ever waiting. openat(2). */
export function openToWrite(path: string): number {
  const O_WRONLY_NOCTTY = 0o401;
  return open(path, O_WRONLY_NOCTTY | O_NONBLOCK);
}

/** Whether the other end of a non-blocking stream that never sends is closed. */
export function isHungUp(fd: number): boolean {
  ready();
  return syscall(nr.read, fd, scratchAddress, 1, 0, 0, 0) === 0;
}

/** read(2) into native memory. */
export function read(fd: number, address: number, length: number): number {
  ready();
  return syscall(nr.read, fd, address, length, 0, 0, 0);
}

/** write(2) from native memory. */
export function write(fd: number, address: number, length: number): number {
  ready();
  return syscall(nr.write, fd, address, length, 0, 0, 0);
}

/** write(2) of the first `length` bytes of an array. */
export function writeBytes(fd: number, bytes: Uint8Array, length: number): number {
  return withAddress(bytes, (at) => write(fd, at, length));
}

/** What there is of these events, or of an error, right now; 0 for nothing. ppoll(2) that does not wait. */
function pollNow(fd: number, events: number): number {
  ready();
  scratch[0] = fd;
  scratch[1] = events;
  scratch.fill(0, 2, 6);
  return syscall(nr.ppoll, scratchAddress, 1, scratchAddress + 8, 0, 8, 0) <= 0 ? 0 : (scratch[1] ?? 0) >>> 16;
}

/** Whether anybody has the read end of this pipe open. */
export function hasReader(fd: number): boolean {
  const POLLERR = 8;
  return (pollNow(fd, 0) & POLLERR) === 0;
}

/** Whether the process of a pidfd has ended. */
export function hasEnded(pidfd: number): boolean {
  const POLLIN = 1;
  return (pollNow(pidfd, POLLIN) & POLLIN) !== 0;
}

/** send(2) from native memory, which neither waits nor raises SIGPIPE. */
export function sendNow(socket: number, address: number, length: number): number {
  ready();
  const DONTWAIT_NOSIGNAL = 0x4040;
  return syscall(nr.sendto, socket, address, length, DONTWAIT_NOSIGNAL, 0, 0);
}

/** Whether a write to fd would not wait right now, if only because it would fail. */
export function isWritable(fd: number): boolean {
  const POLLOUT = 4;
  return pollNow(fd, POLLOUT) !== 0;
}

/** eventfd(2), non-blocking. */
export function eventfd(): number {
  ready();
  return syscall(nr.eventfd2, 0, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0);
}

/** Adds 1 to an eventfd. */
export function wake(fd: number): number {
  ready();
  scratch[0] = 1;
  scratch[1] = 0;
  return syscall(nr.write, fd, scratchAddress, 8, 0, 0, 0);
}

/** Writes a byte into a pipe. */
export function ring(fd: number): number {
  ready();
  return syscall(nr.write, fd, scratchAddress, 1, 0, 0, 0);
}

/** Sets an eventfd back to 0. */
export function drainEventfd(fd: number): number {
  ready();
  return syscall(nr.read, fd, scratchAddress, 8, 0, 0, 0);
}

/** epoll_create1(2). */
export function epollCreate(): number {
  ready();
  return syscall(nr.epoll_create1, O_CLOEXEC, 0, 0, 0, 0, 0);
}

const EPOLLIN = 1;
const EPOLLOUT = 4;
/** x86-64 packs `struct epoll_event`; others align its 64-bit field. */
const EVENT_DATA = process.arch === "x64" ? 1 : 2;
/** 32-bit words of one `struct epoll_event`, and where its data begins. */
export const EPOLL_EVENT: { readonly WORDS: number; readonly data: number } = {
  WORDS: EVENT_DATA + 2,
  data: EVENT_DATA,
};

/** Watches fd for input. The two words come back with each event. epoll_ctl(2). */
export function epollAdd(epoll: number, fd: number, dataLow: number, dataHigh: number): number {
  return epollAddFor(EPOLLIN, epoll, fd, dataLow, dataHigh);
}

/** Watches for the moment when fd takes bytes; otherwise as {@link epollAdd}. */
export function epollAddOutput(epoll: number, fd: number, dataLow: number, dataHigh: number): number {
  return epollAddFor(EPOLLOUT, epoll, fd, dataLow, dataHigh);
}

function epollAddFor(events: number, epoll: number, fd: number, dataLow: number, dataHigh: number): number {
  ready();
  scratch[0] = events;
  scratch[EVENT_DATA] = dataLow;
  scratch[EVENT_DATA + 1] = dataHigh;
  return syscall(nr.epoll_ctl, epoll, 1, fd, scratchAddress, 0, 0);
}

/** Stops watching fd. */
export function epollDelete(epoll: number, fd: number): number {
  ready();
  return syscall(nr.epoll_ctl, epoll, 2, fd, 0, 0, 0);
}

/** epoll_pwait(2) without a signal mask; timeout in milliseconds, -1 for ever. */
export function epollWait(epoll: number, events: number, max: number, timeout: number): number {
  ready();
  return syscall(nr.epoll_pwait, epoll, events, max, timeout, 0, 8);
}

const P_PIDFD = 3;
const WNOHANG = 1;
/** Those, too, that tell of their end by no SIGCHLD, as a deputy's children do until their exec. */
const WALL = 0x40000000;
const WEXITED = 4;

/**
 * Reaps the child behind pidfd if it has ended; `siginfo_t` and `struct rusage`
 * go to native memory. libc's waitid lacks the rusage. waitid(2), P_PIDFD from 5.4 on.
 */
export function waitPidfd(pidfd: number, siginfo: number, rusage: number): number {
  ready();
  return syscall(nr.waitid, P_PIDFD, pidfd, siginfo, WEXITED | WNOHANG | WALL, rusage, 0);
}

/** Waits for a child that is ending, without asking how, whatever its exit signal. */
export function awaitPidfd(pidfd: number): number {
  ready();
  return syscall(nr.waitid, P_PIDFD, pidfd, 0, WEXITED | WALL, 0, 0);
}

/** pidfd_send_signal(2), Linux 5.1. */
export function pidfdSendSignal(pidfd: number, signal: number): number {
  ready();
  return syscall(nr.pidfd_send_signal, pidfd, signal, 0, 0, 0, 0);
}

/** pidfd_open(2), Linux 5.3. */
export function pidfdOpen(pid: number): number {
  ready();
  return syscall(nr.pidfd_open, pid, 0, 0, 0, 0, 0);
}

/** kill(2); a negative pid names a process group. */
export function kill(pid: number, signal: number): number {
  ready();
  return syscall(nr.kill, pid, signal, 0, 0, 0, 0);
}

/** ioctl(2) whose argument is a structure. */
export function ioctl(fd: number, request: number, argument: ArrayBufferView): number {
  ready();
  return withAddress(argument, (at) => syscall(nr.ioctl, fd, request, at, 0, 0, 0));
}

/** Wakes one waiter of a process-private futex. futex(2). */
export function futexWake(address: number): number {
  ready();
  return syscall(nr.futex, address, 129, 1, 0, 0, 0);
}

/** Puts the calling thread to sleep; up to 999 999 microseconds. nanosleep(2). */
export function nap(microseconds: number): number {
  ready();
  scratch[0] = 0;
  scratch[1] = 0;
  scratch[2] = Math.floor(microseconds * 1000);
  scratch[3] = 0;
  return syscall(nr.nanosleep, scratchAddress, 0, 0, 0, 0, 0);
}

/** This process's own peak resident set, in KiB, from getrusage(2). */
export function ownPeakRss(): number {
  ready();
  syscall(nr.getrusage, 0, scratchAddress, 0, 0, 0, 0);
  return scratch[8] ?? 0;
}

/** This process's own hard limit for a resource; 2^64 - 1 is none. prlimit(2). */
export function hardLimit(resource: number): bigint {
  ready();
  syscall(nr.prlimit64, 0, resource, 0, scratchAddress, 0, 0);
  return BigInt.asUintN(64, (BigInt(scratch[3] ?? 0) << 32n) | BigInt((scratch[2] ?? 0) >>> 0));
}

/** The two values of a limit of this process; Infinity where there is none. */
export interface ResourceLimits {
  readonly soft: number;
  readonly hard: number;
}

/** Both limits for a resource. Needs no fd, as /proc/self/limits would. prlimit(2). */
export function resourceLimits(resource: number): ResourceLimits {
  ready();
  syscall(nr.prlimit64, 0, resource, 0, scratchAddress, 0, 0);
  const [soft = 0, hard = 0] = [0, 2].map((at) => {
    const [low = 0, high = 0] = [scratch[at], scratch[at + 1]];
    return low === -1 && high === -1 ? Infinity : (high >>> 0) * 2 ** 32 + (low >>> 0);
  });
  return { soft, hard };
}

/** The newest Landlock ABI that the kernel has, or -errno. landlock_create_ruleset(2), Linux 5.13. */
export function landlockVersion(): number {
  ready();
  const VERSION = 1;
  return syscall(nr.landlock_create_ruleset, 0, 0, VERSION, 0, 0, 0);
}

/** A ruleset from `struct landlock_ruleset_attr`: its fd. landlock_create_ruleset(2), Linux 5.13. */
export function landlockRuleset(attributes: BigUint64Array, size: number): number {
  ready();
  return withAddress(attributes, (at) => syscall(nr.landlock_create_ruleset, at, size, 0, 0, 0, 0));
}

/** Anonymous memory that costs pages only where it is touched. */
export function mmap(length: number): number {
  ready();
  const READ_WRITE = 3;
  const PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
  return syscall(nr.mmap, 0, length, READ_WRITE, PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
}

/** Changes the length of a mapping, which may move: its new address, or -errno. Copies page tables, never bytes. mremap(2). */
export function mremap(address: number, oldLength: number, newLength: number): number {
  ready();
  const MAYMOVE = 1;
  return syscall(nr.mremap, address, oldLength, newLength, MAYMOVE, 0, 0);
}

/** Moves whole pages of a mapping to where other ones are, which go. Returns an address or -errno. mremap(2). */
export function mremapOnto(address: number, length: number, target: number): number {
  ready();
  const MAYMOVE_FIXED = 3;
  return syscall(nr.mremap, address, length, length, MAYMOVE_FIXED, target, 0);
}

/** Asks for huge pages; fails without harm where the kernel has none. madvise(2). */
export function adviseHugePages(address: number, length: number): number {
  ready();
  const MADV_HUGEPAGE = 14;
  return syscall(nr.madvise, address, length, MADV_HUGEPAGE, 0, 0, 0);
}

/** munmap(2). */
export function munmap(address: number, length: number): number {
  ready();
  return syscall(nr.munmap, address, length, 0, 0, 0, 0);
}
