// The options of a launch as users write them. Types only; defaults and checks
// are in spec.ts and the files it calls.
import type { Readable } from "node:stream";

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

/** Isolation of the child. `"none"`: it shares all namespaces with the parent. */
export type Isolation = "none";

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
  /** Default and, so far, only value: `"none"`. */
  isolation?: Isolation | undefined;
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
   * timeouts, aborts and `kill({ group: true })` reach the whole group. Default: false, the parent's.
   */
  session?: boolean | "group" | undefined;
  /**
   * `"kill"` (default): the child gets SIGKILL when this process ends, however it ends. `"keep"`: it lives on.
   * Reaches the child itself; set-id programs are exempt (PR_SET_PDEATHSIG in prctl(2)).
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
