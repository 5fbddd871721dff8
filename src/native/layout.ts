// Offsets, in bytes, of the memory that TypeScript shares with the shim.
// shim/pidpool.h holds the same structures; load.ts compares the two.

/** `struct pp_spec`. */
export const SPEC = {
  size: 0,
  flags: 4,
  argc: 8,
  argv: 12,
  envc: 16,
  envp: 20,
  pathc: 24,
  paths: 28,
  fdc: 32,
  fds: 36,
  groupc: 40,
  groups: 44,
  cwd: 48,
  uid: 52,
  gid: 56,
  umask: 60,
  nice: 64,
  pdeathsig: 68,
  /** CLONE_NEW*: namespaces that the clone makes, and that the child makes once it is in all others. */
  cloned: 72,
  unshared: 76,
  uidMap: 80,
  gidMap: 84,
  /** fds of namespaces to enter and of the cgroup to be born in, -1 for none; filled in at the launch. */
  joinUser: 88,
  joinNetwork: 92,
  joinPid: 96,
  joinPidId: 100,
  cgroup: 104,
  hostname: 108,
  mountc: 112,
  mounts: 116,
  limitc: 120,
  limits: 124,
  rulec: 128,
  rules: 132,
  filterc: 136,
  filter: 140,
  /** 64 bits, as those below. */
  capabilities: 144,
  handledFiles: 152,
  handledPorts: 160,
  scoped: 168,
  /** Strings of {@link PID_ROOM} bytes that the child fills with its own pid. */
  pidc: 176,
  pids: 180,
  SIZE: 184,
} as const;

/** Bytes for a pid in decimal, its NUL included. */
export const PID_ROOM = 16;

/** `struct pp_mount`, `struct pp_limit`, `struct pp_rule`, `struct sock_filter`. */
export const MOUNT = { source: 0, target: 4, type: 8, data: 12, flags: 16, attributes: 24, SIZE: 32 } as const;
export const LIMIT = { resource: 0, soft: 8, hard: 16, SIZE: 24 } as const;
export const RULE = { access: 0, port: 8, path: 16, SIZE: 24 } as const;
export const FILTER = { SIZE: 8 } as const;

/** `enum pp_flags`. */
export const SPEC_FLAG = {
  setsid: 1,
  setpgid: 2,
  umask: 4,
  nice: 8,
  setgroups: 16,
  setgid: 32,
  setuid: 64,
  pdeathsig: 128,
  noNewPrivs: 256,
  /** The child keeps those of `capabilities` and no others. */
  capabilities: 512,
  /** Nor can it get others by an exec. */
  bounding: 1024,
  denySetgroups: 2048,
  loopback: 4096,
  landlock: 8192,
} as const;

/** `struct pp_fd`. */
export const FD = { target: 0, source: 4, handed: 8, path: 12, flags: 16, mode: 20, SIZE: 24 } as const;

/** In {@link FD}.source: the launcher's /dev/null. `PP_DEVNULL`. */
export const DEVNULL_SOURCE = -2;

/** `enum pp_notify`, bits. */
export const NOTIFY = { begin: 1, end: 2 } as const;

/** `enum pp_state`. */
export const STATE = {
  free: 0,
  queued: 1,
  launching: 2,
  running: 3,
  signaling: 4,
  exited: 5,
  failed: 6,
  cancelled: 7,
  failing: 8,
} as const;

/** `enum pp_stage`, in its order; the names are what `LaunchError.stage` says. */
export const STAGES = [
  "none",
  "clone",
  "files",
  "session",
  "nice",
  "chdir",
  "open",
  "dup",
  "setgroups",
  "setgid",
  "setuid",
  "pdeathsig",
  "execve",
  "watch",
  "uid_map",
  "setns",
  "unshare",
  "mount",
  "hostname",
  "loopback",
  "rlimit",
  "capabilities",
  "no_new_privs",
  "landlock",
  "seccomp",
] as const;

/** Whether a child leads a process group of its own; `sweeps`: what is left of that is killed, however the child ends. */
export const LEADER = { no: 0, yes: 1, sweeps: 2 } as const;

/** `struct pp_slot`; the shim knows the fields up to `startedNs`. */
export const SLOT = {
  state: 0,
  generation: 4,
  pid: 8,
  pidfd: 12,
  stage: 16,
  error: 20,
  notify: 24,
  spec: 32,
  token: 40,
  startedNs: 48,
  /** One of {@link LEADER}. */
  leader: 56,
  /** Index into REASONS: what we did to the child, the first cause only. */
  reason: 60,
  /** The signal that ends a child that overstays, and the one it was last sent for that (0: none). */
  killSignal: 64,
  lastSignal: 68,
  /** Milliseconds, 0 for none. */
  timeout: 72,
  killAfter: 76,
  outputGrace: 80,
  /** This process's own peak RSS in KiB when the child was reaped. */
  parentPeak: 28,
  /** How many {@link CAPTURE} records follow. */
  captures: 84,
  capture: 88,
  /** Written by the owner: a stop it asked for, reason | signal << 8. Tells a successor what a message no longer can. */
  stopRequest: 216,
  /** 1 where captured output is wanted as bytes and not as text. */
  wantsBytes: 220,
  /** Written by the launcher: 1 once exec has succeeded. */
  ran: 224,
  /** Which mount, limit, rule or namespace the failed stage was at. */
  detail: 228,
  /** A double: milliseconds of CLOCK_MONOTONIC when the child was reaped. */
  endedMs: 232,
  /** Written by waitid(2): `siginfo_t`, then `struct rusage`. `siginfo.si_pid` is 0 until then. */
  siginfo: 240,
  /** Behind what waitid writes: a pidfd of the init of the child's own pid namespace, -1, or {@link INIT_LOST}. */
  init: 276,
  /** A socket whose other end that init holds, or -1. */
  life: 280,
  /** What the child says of itself: the pool's ends, or -1; {@link SPEAKS}; and its watchdog, in milliseconds (0: none). */
  notifySocket: 284,
  notifyFd: 288,
  speaks: 292,
  watchdog: 296,
  /** 1 while the watchdog runs, 2 once its time is over and what the child has said is looked at. */
  watched: 300,
  /** The first signal that the supervisor sent to end the child, 0 for none. */
  stopSignal: 324,
  /** `coredump_mask` of PIDFD_GET_INFO, where the child dumped core and the kernel says it; else 0. */
  coreMask: 328,
  /** 1 where epoll does not watch the child, and its supervisor looks now and then. */
  polled: 332,
  rusage: 368,
  SIZE: 512,
} as const;

/** Bits of {@link SLOT}.speaks: the child has a way to; a cgroup of its own; a watchdog from exec on; has said READY=1. */
export const SPEAKS = { yes: 1, ownGroup: 2, watchedFromExec: 4, wasReady: 8 } as const;

/** In {@link SLOT}.init, written by the supervisor: that init had died before the child did. */
export const INIT_LOST = -2;

/**
 * A captured fd inside a slot: the parent's end (-1 once closed), the child's fd, the limit as a double. Where only the
 * tail is kept, `target` has {@link TAIL_ONLY}, and for the limit there are the fd to pass everything on to (-1: none),
 * and the bytes to keep, in the upper bits how that fd takes writes (process-wide numbers of pass-on.ts).
 */
export const CAPTURE = { fd: 0, target: 4, limit: 8, passTo: 8, tail: 12, SIZE: 16, MAX: 8 } as const;

/** A bit of {@link CAPTURE}.target. */
export const TAIL_ONLY = 0x10000;

/** `struct pp_launcher`. */
export const LAUNCHER = {
  head: 0,
  tail: 64,
  sleeping: 68,
  stop: 72,
  busySlot: 76,
  noticesHead: 128,
  noticesTail: 192,
  watcherSleeping: 196,
  capacity: 256,
  legacy: 260,
  epoll: 264,
  wake: 268,
  devnull: 272,
  reserved: 276,
  RESERVED: 4,
  queue: 296,
  notices: 304,
  slots: 312,
  stackTop: 320,
  pidNamespace: 328,
  ownPidNamespace: 332,
  /** 1 once this process was refused to enter a pid namespace itself. */
  needsDeputy: 336,
  SIZE: 360,
  /** The shim does not know these. 1 tells the supervisor to end. */
  supervisorStop: 384,
  /** How many have begun to supervise, one after another. */
  supervisions: 388,
  /** Counts what the supervisor has reported, and below what the owner has read of it. */
  reportsHead: 448,
  reportsTail: 512,
  /** 1 from the supervisor's ring to the owner's look at the reports. */
  ownerTold: 516,
} as const;

/** In a notice, beside the index of its slot: the launch is over. */
export const NOTICE_END = -0x80000000;

/** Bytes of stack for children between clone and exec, four at a time, and for a deputy. */
export const CHILD_STACKS = 163840;

/** What `pp_layout(0…)` must answer. */
export const EXPECTED_LAYOUT: readonly number[] = [
  8,
  SPEC.SIZE,
  FD.SIZE,
  SLOT.SIZE,
  LAUNCHER.SIZE,
  SLOT.spec,
  SLOT.startedNs,
  SLOT.leader,
  LAUNCHER.tail,
  LAUNCHER.noticesHead,
  LAUNCHER.noticesTail,
  LAUNCHER.capacity,
  LAUNCHER.reserved,
  LAUNCHER.queue,
  SPEC.cwd,
  SPEC.pdeathsig,
  CHILD_STACKS,
  SLOT.ran,
  SLOT.detail,
  LAUNCHER.ownPidNamespace,
  SPEC.cloned,
  SPEC.joinUser,
  SPEC.cgroup,
  SPEC.mountc,
  SPEC.filter,
  SPEC.capabilities,
  SPEC.scoped,
  MOUNT.SIZE,
  LIMIT.SIZE,
  RULE.SIZE,
  LAUNCHER.needsDeputy,
  SPEC.pidc,
];
