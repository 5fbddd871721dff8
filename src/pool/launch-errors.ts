// Errors of launches that the pool itself ends, and the message of an end that
// was not clean.
import { LaunchError, PidpoolError, quoted } from "../errors.ts";
import { exitMessage } from "../process/explain.ts";
import type { Encoding } from "../process/options.ts";
import type { RunResult } from "../process/result.ts";
import type { LaunchSpec } from "../process/spec.ts";
import { outputTail } from "../process/stderr-tail.ts";

/** The error of a launch whose signal fired before its start. */
export function abortError(spec: LaunchSpec): PidpoolError {
  return new PidpoolError("ERR_ABORTED", `${quoted(spec.file)} was aborted before it was started`, {
    cause: spec.signal?.reason,
  });
}

/** The error of a launch whose input stream failed before its start. */
export function inputError({ file }: LaunchSpec, cause: unknown): LaunchError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new LaunchError("input", file, `cannot start ${quoted(file)}: its input failed before${why} (input)`, {
    cause,
  });
}

/** What died of what; with the last line that it wrote to stderr, even where the report keeps none. */
export function exitErrorMessage({ file, exit, stderr }: RunResult, encoding: Encoding): string {
  return exitMessage(file, exit, exit.stderrTail ?? (stderr === null ? "" : outputTail(stderr, encoding, LAST_WORDS)));
}

/** Bytes of stderr in which a message looks for the last line. */
const LAST_WORDS = 1024;
