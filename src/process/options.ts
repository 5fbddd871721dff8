// The options of a launch as users write them. Types only; defaults and checks
// are in spec.ts and the files it calls.
import type { Readable } from "node:stream";
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

/** What is written to the child's stdin: text (as UTF-8), bytes, a stream or iterable of either, or a file. */
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
  /** Clocks of its own. Linux 6.1 (5.6 without exec). Default: false. time_namespaces(7). */
  readonly time?: boolean | undefined;
  /** Brings up 127.0.0.1 and ::1 in a network namespace of its own. Default: false. */
  readonly loopback?: boolean | undefined;
  /** The name that gethostname(2) gives; at most 64 bytes. */
  readonly hostname?: string | undefined;
  /** The id that this process's user has in a user namespace of the child's own. Default: the same. */
  readonly mapUid?: number | undefined;
  /** The same for its group. */
  readonly mapGid?: number | undefined;
  /** Capabilities that it keeps, over exec too. Default: none, or with `user: "host"` those of this process. capabilities(7). */
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

/** Options of every launch. A pool takes them as defaults for its children. */
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
  /** How captured output is delivered. Default: `"utf8"`. */
  encoding?: Encoding | undefined;
  /** What the child shares with this process. Default: `"shared"`. Where the machine refuses it, ERR_ISOLATION. */
  isolation?: Isolation | undefined;
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
  /** Ends the child as a timeout does; before its start, the launch rejects with ERR_ABORTED. */
  signal?: AbortSignal | undefined;
}
