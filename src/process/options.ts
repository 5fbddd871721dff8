// The options of a launch as users write them. Types only; defaults and checks
// are in spec.ts and the files it calls.
import type { Readable } from "node:stream";
import type { CgroupLimits } from "./cgroup-limits.ts";
import type { SeccompOption } from "./seccomp/options.ts";
import type { Capability } from "./capabilities.ts";

/** A signal by name ("SIGTERM") or number (1–64). See signal(7). */
export type Signal = NodeJS.Signals | number;

/** A file to open for the child, relative to the child's `cwd`. The child's stdin reads it, other fds write it. */
export interface StdioFile {
  readonly file: string | URL;
  /** Write behind what is there. Default: false, the file is emptied (created with mode 0666 and umask). */
  readonly append?: boolean;
  /** Open for reading. Default: true for fd 0, else false. */
  readonly read?: boolean;
}

/**
 * Where one fd of the child leads:
 * - `"ignore"`: /dev/null
 * - `"inherit"`: the parent's fd of the same number
 * - `"pipe"`: a Node stream in the parent (a duplex socket for fds above 2); `spawn()` only
 * - `"capture"`: collected off the main thread and delivered with the exit; not for fd 0
 * - a number: that fd of the parent, which stays open there
 * - `{ file }`: a file
 */
export type StdioEntry = "ignore" | "inherit" | "pipe" | "capture" | number | StdioFile;

/**
 * One entry for fds 0–2, or a list by fd number. In a list, `undefined` and `null` mean the default for
 * fds 0–2 and "closed" for the others.
 */
export type StdioOption = "ignore" | "inherit" | "pipe" | "capture" | readonly (StdioEntry | null | undefined)[];

/**
 * What is written to the child's stdin: text (as UTF-8), bytes, a stream or iterable of either, or a file. Bytes are not
 * copied: they must stay as they are until the child has ended.
 */
export type Input =
  | string
  | NodeJS.ArrayBufferView
  | ArrayBuffer
  | Readable
  | ReadableStream
  | AsyncIterable<string | Uint8Array>
  | { readonly file: string | URL };

/** How captured output is delivered: as text, or as bytes for `"buffer"`. */
export type Encoding = BufferEncoding | "buffer";

/** Mounts of a child's own mount namespace. All paths are absolute; what they name must exist. mount(2). */
export interface MountOptions {
  /** An empty /tmp of its own, in memory, gone with it. Default: false. */
  readonly tmp?: boolean | undefined;
  /** Made read-only with all that is mounted beneath; `"/"` means everything. Linux 5.12, mount_setattr(2). */
  readonly readOnly?: readonly string[] | undefined;
  /** Exceptions from `readOnly`; of nested paths the inner one decides. */
  readonly readWrite?: readonly string[] | undefined;
  /** A /proc that shows the child's own pid namespace. Default: true where it has another one than this process. */
  readonly proc?: boolean | undefined;
}

/**
 * Each namespace by itself. `"host"`: that of this process; `"shared"`: that of the pool; `"private"` or true:
 * one of the child's own. See namespaces(7).
 */
export interface IsolationOptions {
  /**
   * User namespace: ids stay as they are, rights over the host are gone. Default: `"host"` where no other
   * namespace is asked for, `"private"` beside `pid: "private"`, else `"shared"`. user_namespaces(7).
   */
  readonly user?: "host" | "shared" | "private" | undefined;
  /** Network namespace; the pool's and new ones have no way out. Default: `"host"`. network_namespaces(7). */
  readonly network?: "host" | "shared" | "private" | undefined;
  /**
   * Pid namespace. `"shared"`: the pool's, which ends with the pool. `"private"`: one of its own; when the
   * program ends, so does every process it left behind, and only then the exit is reported. An init reaps
   * orphans. Default: `"host"`. pid_namespaces(7).
   */
  readonly pid?: "host" | "shared" | "private" | undefined;
  /** Mount namespace of its own. Default: false. mount_namespaces(7). */
  readonly mount?: boolean | MountOptions | undefined;
  /** System V IPC and POSIX message queues of its own. Default: false. ipc_namespaces(7). */
  readonly ipc?: boolean | undefined;
  /** Host name of its own. Default: true where `hostname` is given. uts_namespaces(7). */
  readonly uts?: boolean | undefined;
  /** Its own cgroup looks like the root. Default: false. cgroup_namespaces(7). */
  readonly cgroup?: boolean | undefined;
  /** Clocks of its own. Linux 6.3. Default: false. time_namespaces(7). */
  readonly time?: boolean | undefined;
  /** Brings up 127.0.0.1 and ::1 in a network namespace of its own. Default: false. */
  readonly loopback?: boolean | undefined;
  /** The name that gethostname(2) gives; at most 64 bytes. */
  readonly hostname?: string | undefined;
  /** The id that this process's user has in a user namespace of the child's own. Default: the same. */
  readonly mapUid?: number | undefined;
  /** The same for its group. */
  readonly mapGid?: number | undefined;
  /**
   * Capabilities that it keeps, over exec too. Default: none, or with `user: "host"` those of this process. Where this process
   * is root, its user namespaces have all ids: CAP_SETUID, CAP_DAC_OVERRIDE, CAP_CHOWN and their like are rights over the
   * host's files then. capabilities(7).
   */
  readonly capabilities?: readonly Capability[] | undefined;
  /** Set-id programs and file capabilities give no rights. Default: true. PR_SET_NO_NEW_PRIVS in prctl(2). */
  readonly noNewPrivileges?: boolean | undefined;
}

/**
 * - `"none"`: as child_process does it.
 * - `"shared"`: in the pool's user namespace, without rights over the host, and in the pool's network namespace,
 *   which is empty.
 * - `"contained"`: the same, and in the pool's pid namespace: no process of the tree outlives the pool, or this
 *   process, whatever it does to hide.
 * - `"private"`: user and network namespace of its own.
 *
 * All but `"none"` set no_new_privs.
 */
export type Isolation = "none" | "shared" | "contained" | "private" | IsolationOptions;

/**
 * What the child, and each process that it starts, may use at most: setrlimit(2). Each is a number in the unit
 * given, or `Infinity` for no limit; what is left out is inherited. All but `cpuSeconds` and `fileSize` are for
 * the child to see as errors (ENOMEM, EMFILE, EAGAIN), and none is shared: two processes may use twice as much.
 *
 * A limit above this process's own hard limit is refused with InvalidOptionError, unless this process has
 * CAP_SYS_RESOURCE.
 */
export interface Limits extends CgroupLimits {
  /**
   * Seconds of CPU time of one process, user and kernel together, above 0 and rounded up. Then SIGXCPU, a second
   * later SIGKILL; the report's `reason` is `"cpu-limit"` for both. RLIMIT_CPU.
   */
  readonly cpuSeconds?: number | undefined;
  /**
   * Bytes of address space. Runtimes that reserve much more than they use (Node with wasm, Go, the JVM, sanitizers) fail
   * under a limit that fits their real use. RLIMIT_AS.
   */
  readonly addressSpace?: number | undefined;
  /** Bytes of data: heap, private writable mappings. RLIMIT_DATA. */
  readonly dataBytes?: number | undefined;
  /** Bytes of the largest file it may write. Then SIGXFSZ, reason `"file-size-limit"`, or EFBIG where that is ignored. RLIMIT_FSIZE. */
  readonly fileSize?: number | undefined;
  /** One more than the highest fd it may open. At most fs.nr_open. RLIMIT_NOFILE. */
  readonly openFiles?: number | undefined;
  /**
   * Processes and threads that the child's *user* may have in all, wherever they come from. Not enforced for root,
   * nor with CAP_SYS_RESOURCE or CAP_SYS_ADMIN. RLIMIT_NPROC.
   */
  readonly processes?: number | undefined;
  /** Bytes of the main thread's stack; beyond it SIGSEGV. Arguments and environment may fill a quarter of it. RLIMIT_STACK. */
  readonly stack?: number | undefined;
  /** Bytes of a core dump; 0 for none. Not for dumps that go to a program (core(5)). RLIMIT_CORE. */
  readonly core?: number | undefined;
}

/**
 * The only files that the child, and all it starts, may open, run or change: beneath these paths. Everything else is
 * refused with EACCES. Paths are relative to the child's `cwd`, and must exist; a directory stands for all beneath
 * it, and a path that several entries cover has the rights of all of them.
 *
 * Program, ELF loader and #! interpreter must be beneath `execute`. Files of `stdio` are opened before and need no
 * rule, nor do inherited fds. Metadata is not covered: stat, chmod, chown, utime, and chdir work as before.
 */
export interface FilesystemRules {
  /** Read files, list directories. */
  readonly readOnly?: readonly (string | URL)[] | undefined;
  /**
   * Read, write, create, remove, truncate, rename, link; device ioctls. Neither execute nor make device nodes. A
   * `readOnly` path must not lie beneath one of these.
   */
  readonly readWrite?: readonly (string | URL)[] | undefined;
  /** Read and execute files, list directories. */
  readonly execute?: readonly (string | URL)[] | undefined;
}

/**
 * The only TCP ports that the child, and all it starts, may use; every other bind(2) and connect(2) of a TCP socket
 * fails with EACCES. It keeps programs to what they are meant for, but jails no hostile one: Landlock sees neither other
 * protocols (UDP, MPTCP, …) nor TCP Fast Open, nor the port that listen(2) chooses for a socket that was not bound.
 */
export interface TcpRules {
  /** Ports to bind to; 0 stands for those that the kernel chooses. */
  readonly bind?: readonly number[] | undefined;
  /** Ports to connect to, at any address. */
  readonly connect?: readonly number[] | undefined;
}

/**
 * Options of every launch. They are read once, when they are given, as a spread reads them: own enumerable properties of
 * plain objects. What is changed later in an object or list has no effect. A pool takes them as defaults for its children.
 */
export interface CommonOptions {
  /** Working directory. Default: the parent's. */
  cwd?: string | URL | undefined;
  /**
   * The child's whole environment; entries that are `undefined` are left out. Default: `process.env` at the
   * time of the call.
   */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Milliseconds after its start at which the child is ended with `killSignal`. Default: 0, never. */
  timeout?: number | undefined;
  /** Signal for timeouts, aborts and limits. Default: `"SIGTERM"`. */
  killSignal?: Signal | undefined;
  /** Milliseconds from `killSignal` to SIGKILL. Default: 5000; `Infinity` for never. */
  killAfter?: number | undefined;
  /** Bytes kept of each captured stream, of text at most some 256 MiB; a child that writes more is ended. Default: 128 MiB. */
  maxOutput?: number | undefined;
  /**
   * Milliseconds that captured output may stay open after the child's exit, because a grandchild holds it.
   * What is in the pipe at the exit is always read. Default: 500.
   */
  outputGrace?: number | undefined;
  /**
   * Bytes, 0–1 MiB, of the end of stderr that the exit report keeps as `stderrTail`. Default: 4096 where stderr is captured
   * or piped, else 0. Where it is given with `"inherit"`, `"ignore"` or an fd number, the child writes into a pipe: its
   * output passes through the supervisor thread, so that it may come to lie otherwise between that of others, ends with
   * `outputGrace` where a grandchild goes on writing, and is no terminal for the child. Not for `{ file }`.
   */
  stderrTail?: number | undefined;
  /** How captured output is delivered. Default: `"utf8"`. */
  encoding?: Encoding | undefined;
  /** What the child shares with this process. Default: `"shared"`. Where the machine refuses it, ERR_ISOLATION. */
  isolation?: Isolation | undefined;
  /**
   * Resource limits of the child. Default: the parent's. A launch's own take the place of the pool's as a whole.
   * setrlimit(2).
   */
  limits?: Limits | undefined;
  /**
   * The only files that the child may open. Default: no rule. Needs Landlock ABI 3 (Linux 6.2), else rejects with
   * IsolationError; sets no_new_privs. From ABI 6 on (Linux 6.12) the child can also neither signal processes nor
   * connect to abstract unix sockets that are not its own or its children's. landlock(7).
   */
  filesystem?: FilesystemRules | undefined;
  /** The only TCP ports that the child may use. Default: no rule. Needs Landlock ABI 4 (Linux 6.7); else as `filesystem`. */
  tcp?: TcpRules | undefined;
  /**
   * A group of cgroup v2 to make the child's own group in, without processes and writable by this user. Default,
   * where `limits` need a group: the one that is delegated to this process. Given alone, it lets nothing of the
   * child's tree escape its end, or that of this process, however that comes. Groups are removed afterwards.
   * Before Linux 5.14 there is no cgroup.kill: then processes that the child has started may outlive a SIGKILL of
   * this process, and so does their group, but nothing outlives the child or the pool. Linux 5.7, cgroups(7).
   */
  cgroup?: string | URL | undefined;
  /**
   * System calls that the child may make: a named profile, `"default"` for ordinary programs and `"compute"` for
   * those that only turn input into output, or rules of your own. Default: all. Sets no_new_privs. seccomp(2).
   */
  seccomp?: SeccompOption | undefined;
  /** User id of the child; needs CAP_SETUID. setresuid(2). */
  uid?: number | undefined;
  /** Group id of the child; needs CAP_SETGID. setresgid(2). */
  gid?: number | undefined;
  /** Supplementary groups. Default: none where `uid` or `gid` is given, else the parent's. setgroups(2). */
  groups?: readonly number[] | undefined;
  /** File mode creation mask, 0–0o777. Default: the parent's. umask(2). */
  umask?: number | undefined;
  /** Niceness, -20 (most favourable) to 19. Default: the parent's. setpriority(2). */
  nice?: number | undefined;
  /**
   * `true`: a session of its own (setsid(2)); `"group"`: a process group of its own (setpgid(2)); in both,
   * timeouts, aborts and `kill({ group: true })` reach the whole group. Default: false, the parent's; true in
   * another pid namespace, from where a child could signal this process through a group that they share.
   */
  session?: boolean | "group" | undefined;
  /**
   * `"kill"` (default): the child gets SIGKILL when this process ends, however it ends. `"keep"`: it lives on,
   * which nothing does in a pid namespace of the pool's or its own. Reaches the child itself; set-id programs are
   * exempt (PR_SET_PDEATHSIG in prctl(2)).
   */
  orphans?: "kill" | "keep" | undefined;
  /** Reject with ExitError unless the child exits with code 0. Default: true. */
  check?: boolean | undefined;
}

/** Options of one launch. */
export interface LaunchOptions extends CommonOptions {
  /** The child's argv[0]. Default: `file`. */
  argv0?: string | undefined;
  /** Written to the child's stdin. Default: nothing, stdin is /dev/null under `run()`. */
  input?: Input | undefined;
  /** See {@link StdioOption}. Default: `["ignore", "capture", "capture"]` for `run()`, `"pipe"` for `spawn()`. */
  stdio?: StdioOption | undefined;
  /**
   * How the child may speak of itself while it runs. `true`: by the protocol of sd_notify(3), over the datagram socket
   * that its variable NOTIFY_SOCKET names. `{ fd }`: by a newline to that fd of its own, above 2, once it is ready.
   * What it says comes as the event `notify` of its {@link Process}; its last STATUS= and ERRNO= are the report's
   * `message`. Default: false.
   *
   * Counts what the child says, and what comes from its descendants, from its session where it leads one, from a pid
   * namespace or cgroup of its own; by the sender's pid as the kernel tells it. A descendant that has ended before that is looked at is not heard: `systemd-notify` waits for that (BARRIER=1). Messages are at most 4096
   * bytes long. MAINPID= changes nothing, and fds that come along are closed (no FDSTORE=1). One that says more in a
   * moment than anyone could read is told in part: the last of each name.
   */
  notify?: boolean | { readonly fd: number } | undefined;
  /**
   * Milliseconds within which the child must say WATCHDOG=1 again and again, from its READY=1 on; else it gets SIGABRT,
   * after `killAfter` SIGKILL, and the report's `reason` is `"watchdog"`. Needs `notify: true`; the child finds it
   * in WATCHDOG_USEC and WATCHDOG_PID. WATCHDOG_USEC= from the child changes it, WATCHDOG=trigger makes it bite at once
   * (both also without this option), STOPPING=1 ends it. sd_watchdog_enabled(3). Default: 0, none.
   */
  watchdog?: number | undefined;
  /** Ends the child as a timeout does; before its start, the launch rejects with ERR_ABORTED. */
  signal?: AbortSignal | undefined;
}
