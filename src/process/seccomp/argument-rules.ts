// Rules of the profiles that look at arguments. Positions and values of all of
// them are the same on x64 and arm64.
import type { Rule } from "./policy.ts";
import { ALLOW, refuse, type Verdict } from "./verdict.ts";

const CLONE_THREAD = 0x00010000;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const CLONE_NEW = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000;
/** Only unshare(2) has it: in clone's flags, these bits are the exit signal. */
const CLONE_NEWTIME = 0x80;

/**
 * No new namespaces. `clone3` has its flags in memory, which a filter cannot read: it answers ENOSYS, and libcs take
 * `clone`.
 */
export const NO_NAMESPACES: readonly Rule[] = [
  { syscalls: ["setns"], verdict: refuse("EPERM") },
  {
    syscalls: ["unshare"],
    when: [{ argument: 0, has: "anyBit", bits: CLONE_NEW | CLONE_NEWTIME }],
    verdict: refuse("EPERM"),
  },
  { syscalls: ["clone"], when: [{ argument: 0, has: "anyBit", bits: CLONE_NEW }], verdict: refuse("EPERM") },
  { syscalls: ["clone3"], verdict: refuse("ENOSYS") },
];

/** Threads may be made, but no processes, and no threads in namespaces of their own. */
export const ONLY_THREADS: readonly Rule[] = [
  { syscalls: ["clone"], when: [{ argument: 0, has: "anyBit", bits: CLONE_THREAD }], verdict: ALLOW },
  ...NO_NAMESPACES,
];

/** Opened for nothing but reading. `openat2` has its flags in memory: ENOSYS, as for `clone3`. */
export function readOnlyOpens(otherwise: Verdict): readonly Rule[] {
  // O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, __O_TMPFILE. With O_RDONLY, O_TRUNC truncates all the same.
  const bits = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000;
  return [
    { syscalls: ["open", "openat"], verdict: otherwise },
    { syscalls: ["open"], when: [{ argument: 1, has: "noBit", bits }], verdict: ALLOW },
    { syscalls: ["openat"], when: [{ argument: 2, has: "noBit", bits }], verdict: ALLOW },
    { syscalls: ["openat2"], verdict: refuse("ENOSYS") },
  ];
}

/** TIOCSTI types into the terminal from which Node was started, TIOCLINUX pastes into the console. */
export const NO_TERMINAL_INPUT: Rule = {
  syscalls: ["ioctl"],
  when: [{ argument: 1, is: "oneOf", values: [0x5412, 0x541c] }],
  verdict: refuse("EPERM"),
};

/** What programs ask of their own streams: TCGETS, TCGETS2, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIO(N)CLEX. */
export const STREAM_IOCTLS: readonly Rule[] = [
  { syscalls: ["ioctl"], verdict: refuse("ENOTTY") },
  {
    syscalls: ["ioctl"],
    when: [
      {
        argument: 1,
        is: "oneOf",
        values: [0x5401, 0x802c542a, 0x540f, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451],
      },
    ],
    verdict: ALLOW,
  },
];

/** F_SETOWN and F_SETOWN_EX have the kernel send SIGIO to any process. */
export const NO_SIGNAL_OWNERS: Rule = {
  syscalls: ["fcntl"],
  when: [{ argument: 1, is: "oneOf", values: [8, 15] }],
  verdict: refuse("EPERM"),
};

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;

/**
 * Sockets of the families that programs use: unix, IPv4, IPv6, and of netlink what getaddrinfo(3), getifaddrs(3) and
 * libudev ask (NETLINK_ROUTE, NETLINK_KOBJECT_UEVENT). Others do not exist, as in a kernel built without them: among
 * them AF_PACKET, AF_VSOCK, AF_ALG, AF_KEY and AF_XDP.
 */
export const COMMON_SOCKETS: readonly Rule[] = [
  {
    syscalls: ["socket", "socketpair"],
    when: [{ argument: 0, is: "noneOf", values: [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK] }],
    verdict: refuse("EAFNOSUPPORT"),
  },
  {
    syscalls: ["socket"],
    when: [
      { argument: 0, is: "oneOf", values: [AF_NETLINK] },
      { argument: 2, is: "noneOf", values: [0, 15] },
    ],
    verdict: refuse("EPROTONOSUPPORT"),
  },
];

/** PER_LINUX and PER_LINUX32, with or without UNAME26, and the query; what is left would switch protections off. */
export const COMMON_PERSONALITIES: Rule = {
  syscalls: ["personality"],
  when: [{ argument: 0, is: "noneOf", values: [0, 8, 0x20000, 0x20008, 0xffffffff] }],
  verdict: refuse("EPERM"),
};

/** PR_SET_MM rewrites what /proc tells about a process. */
export const NO_SET_MM: Rule = {
  syscalls: ["prctl"],
  when: [{ argument: 0, is: "oneOf", values: [35] }],
  verdict: refuse("EPERM"),
};

/** PR_SET_PDEATHSIG would take back that the child dies with Node, PR_SCHED_CORE marks other processes. */
export const ONLY_OWN_PRCTLS: Rule = {
  syscalls: ["prctl"],
  when: [{ argument: 0, is: "oneOf", values: [1, 62] }],
  verdict: refuse("EPERM"),
};

/** S_IFCHR and S_IFBLK share a bit that no other type has which mknod(2) makes. */
export const NO_DEVICE_FILES: readonly Rule[] = [
  { syscalls: ["mknod"], when: [{ argument: 1, has: "anyBit", bits: 0o020000 }], verdict: refuse("EPERM") },
  { syscalls: ["mknodat"], when: [{ argument: 2, has: "anyBit", bits: 0o020000 }], verdict: refuse("EPERM") },
];

/** Limits of the caller only: a pid of 0. */
export const OWN_LIMITS: Rule = {
  syscalls: ["prlimit64"],
  when: [{ argument: 0, is: "oneOf", values: [0] }],
  verdict: ALLOW,
};

/** A signal that does nothing where nobody handles it. Go's runtime interrupts its own threads with it. */
export const ONLY_SIGURG: Rule = {
  syscalls: ["tgkill"],
  when: [{ argument: 2, is: "oneOf", values: [23] }],
  verdict: ALLOW,
};
