// What run() gives: the exit report with the captured output.
import type { Readable, Writable } from "node:stream";
import type { Encoding, StdioEntry, StdioOption } from "./options.ts";
import type { Process } from "./process.ts";
import type { ExitReport } from "./report.ts";

/** Captured output in the form that `encoding` asks for. */
export type Output<E extends Encoding = Encoding> = Encoding extends E
  ? string | Buffer
  : E extends "buffer"
    ? Buffer
    : string;

type EntryAt<S extends StdioOption, I extends 0 | 1 | 2, Default> = S extends string
  ? S
  : S extends readonly (StdioEntry | null | undefined)[]
    ? S[I] extends StdioEntry
      ? S[I]
      : Default
    : Default;

/** The type of a captured stream: null where the stdio option sends it elsewhere. */
export type Captured<S extends StdioOption, I extends 1 | 2, E extends Encoding> =
  EntryAt<S, I, "capture"> extends "capture"
    ? Output<E>
    : "capture" extends EntryAt<S, I, "capture">
      ? Output<E> | null
      : null;

/** The type of a stream that is there where the stdio option says `"pipe"`. */
export type Piped<S extends StdioOption, I extends 0 | 1 | 2, T> =
  EntryAt<S, I, "pipe"> extends "pipe" ? T : "pipe" extends EntryAt<S, I, "pipe"> ? T | null : null;

/** The {@link Process} that spawn() gives for a stdio option. */
export type ProcessOf<S extends StdioOption> = Process<
  Piped<S, 0, Writable>,
  Piped<S, 1, Readable>,
  Piped<S, 2, Readable>
>;

/**
 * Why captured output may not be all that was written: `"output-limit"`, more than `maxOutput`; `"no-memory"`, more than this process has memory for;
 * `"held-open"`, another process still had the pipe when `outputGrace` was over; `"supervisor-lost"`, the
 * thread that held it died; `"blocked"`, nobody took what was to be passed on to the parent's stderr (`stderrTail`)
 * until then. null: it ended by itself.
 */
export type Truncation = "output-limit" | "no-memory" | "held-open" | "supervisor-lost" | "blocked";

/** The outcome of a launch. Success and failure share it: an ExitError carries the same. */
export interface RunResult<
  Stdout = string | Buffer | null,
  Stderr = string | Buffer | null,
  Any = string | Buffer | null,
> {
  readonly file: string;
  readonly args: readonly string[];
  readonly pid: number;
  readonly exit: ExitReport;
  /** What the child wrote there; null where it was not captured. */
  readonly stdout: Stdout;
  readonly stderr: Stderr;
  /** The same by fd number, for every captured fd. */
  readonly output: readonly Any[];
  readonly truncated: Truncation | null;
  /** Milliseconds from the call until the launch began. */
  readonly waitMs: number;
}
