// Every error that this library throws or rejects with: one base class, one
// table of codes, and the few classes that carry more than a code. Imports
// types only of this library, so every layer may use it.
import { types } from "node:util";
import type { ServiceEnd } from "./pool/service/end.ts";
import type { ExitReport } from "./process/report.ts";
import type { RunResult } from "./process/result.ts";

/** What each `code` of a {@link PidpoolError} means. */
export const ERROR_CODES = {
  ERR_INVALID_OPTION: "an argument or option is wrong; nothing was started",
  ERR_UNSUPPORTED: "this machine, kernel or build cannot do what was asked",
  ERR_LAUNCH: "the child could not be started",
  ERR_EXIT: "the child ended other than by exit code 0",
  ERR_QUEUE_FULL: "more runs wait than maxQueue allows",
  ERR_CLOSED: "the pool is closed or destroyed",
  ERR_ABORTED: "the AbortSignal fired before the child was started",
  ERR_START_LIMIT: "the spares of a warm command have died too often; none is started for a while",
  ERR_ISOLATION: "this machine refuses the isolation that was asked for",
  ERR_LISTEN: "a socket of the option listen could not be opened",
  ERR_SERVICE_FAILED: "a service, a replica of it or a group has ended and is not started again",
  ERR_SUPERVISOR: "a supervisor thread could not be kept alive",
} as const;

/** The literal codes of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts that an error may carry beside its message. */
export interface ErrorFacts {
  /** The system call that failed, e.g. `"execve"`. */
  syscall?: string | undefined;
  /** The error's name from errno(3), e.g. `"ENOENT"`. */
  errno?: string | undefined;
  cause?: unknown;
}

/** Inherits nothing from what somebody has put into Object.prototype. */
function own(facts: ErrorFacts): ErrorFacts {
  return Object.assign(Object.create(null) as ErrorFacts, facts);
}

/** Base of all errors of this library. `code` is literal and stable; the message is for people. */
export class PidpoolError extends Error {
  readonly code: ErrorCode;
  readonly syscall?: string;
  readonly errno?: string;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    const { syscall, errno, cause } = own(facts);
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    if (syscall !== undefined) this.syscall = syscall;
    if (errno !== undefined) this.errno = errno;
  }

  static {
    PidpoolError.prototype.name = "PidpoolError";
  }
}

/** A wrong argument or option: which one, what it was, what is allowed. */
export class InvalidOptionError extends PidpoolError {
  declare readonly code: "ERR_INVALID_OPTION";
  /** The option's path, e.g. `"stdio[3]"`. */
  readonly option: string;
  readonly value: unknown;
  readonly #allowed: string;
  readonly #unreadable: { readonly cause: unknown } | undefined;

  /** @param unreadable What was thrown when the option was read; then there is no value. */
  constructor(option: string, value: unknown, allowed: string, unreadable?: { readonly cause: unknown }) {
    const is = unreadable === undefined ? `is ${show(value)}` : "cannot be read";
    super("ERR_INVALID_OPTION", `${option} ${is}; ${allowed}`, unreadable);
    this.option = option;
    this.value = value;
    this.#allowed = allowed;
    this.#unreadable = unreadable;
  }

  /** The same of options that are an option themselves. */
  within(parent: string): InvalidOptionError {
    const option = this.option === "options" ? parent : `${parent}.${this.option}`;
    return new InvalidOptionError(option, this.value, this.#allowed, this.#unreadable);
  }

  static {
    InvalidOptionError.prototype.name = "InvalidOptionError";
  }
}

/** The child could not be started. Nothing of it is left. */
export class LaunchError extends PidpoolError {
  declare readonly code: "ERR_LAUNCH";
  /**
   * The step that failed: `"input"` (the stream of the option input), `"pipe"` and `"clone"` happen in the
   * parent, the others in the child.
   */
  readonly stage: string;
  readonly file: string;

  constructor(stage: string, file: string, message: string, facts: ErrorFacts) {
    super("ERR_LAUNCH", message, facts);
    this.stage = stage;
    this.file = file;
  }

  static {
    LaunchError.prototype.name = "LaunchError";
  }
}

/** This machine refuses the isolation that was asked for. Nothing runs with less. */
export class IsolationError extends PidpoolError {
  declare readonly code: "ERR_ISOLATION";
  /** The step that failed, e.g. `"uid_map"`. */
  readonly stage: string;
  /** What to do about it, as far as can be told. */
  readonly remedy: string | undefined;

  constructor(stage: string, message: string, facts: ErrorFacts & { remedy?: string | undefined } = {}) {
    super("ERR_ISOLATION", message, facts);
    this.stage = stage;
    this.remedy = facts.remedy;
  }

  static {
    IsolationError.prototype.name = "IsolationError";
  }
}

/** The child ran and ended other than by exit code 0. Carries the whole {@link RunResult}. */
export class ExitError extends PidpoolError {
  declare readonly code: "ERR_EXIT";
  readonly result: RunResult;

  constructor(message: string, result: RunResult, cause?: unknown) {
    super("ERR_EXIT", message, { cause });
    this.result = result;
  }

  /** The child's exit report; the same as `result.exit`. */
  get exit(): RunResult["exit"] {
    return this.result.exit;
  }

  static {
    ExitError.prototype.name = "ExitError";
  }
}

/** A replica of a service has failed, or the service was stopped before what was waited for. */
export class ServiceError extends PidpoolError {
  declare readonly code: "ERR_SERVICE_FAILED";
  /** The service's name. */
  readonly service: string;
  /** The last ends of the service's processes, the latest at the end. */
  readonly reports: readonly ServiceEnd[];

  constructor(service: string, message: string, reports: readonly ServiceEnd[]) {
    super("ERR_SERVICE_FAILED", message, { cause: reports.at(-1)?.error ?? undefined });
    this.service = service;
    this.reports = reports;
  }

  static {
    ServiceError.prototype.name = "ServiceError";
  }
}

/** A group has failed, and nothing of it is left; or it was stopped before it was ready. */
export class GroupError extends PidpoolError {
  declare readonly code: "ERR_SERVICE_FAILED";
  /** The group's path. */
  readonly group: string;
  /** How processes ended that the group was told of: the last ten since it was started, the latest at the end. */
  readonly reports: readonly ExitReport[];

  /** @param cause What its part failed of, where that is why. */
  constructor(group: string, message: string, reports: readonly ExitReport[], cause?: unknown) {
    super("ERR_SERVICE_FAILED", message, { cause });
    this.group = group;
    this.reports = reports;
  }

  static {
    GroupError.prototype.name = "GroupError";
  }
}

/** The spares of a warm command have died too often; `cause` is the last one's ExitError or LaunchError. */
export class StartLimitError extends PidpoolError {
  declare readonly code: "ERR_START_LIMIT";
  /** How the last one ended; undefined where it could not be started. */
  readonly report: ExitReport | undefined;

  constructor(message: string, report: ExitReport | undefined, cause: unknown) {
    super("ERR_START_LIMIT", message, { cause });
    this.report = report;
  }

  static {
    StartLimitError.prototype.name = "StartLimitError";
  }
}

const LARGE = 10n ** 80n;
/** What JSON leaves as it is, and a terminal may obey or show in another order. */
const UNPRINTABLE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A text of whatever length and content as an error message shows it: in quotes, on one line, not endless. */
export function quoted(text: string, most = 1024): string {
  const shown = JSON.stringify(text.length > most ? `${text.slice(0, most - 3)}...` : text);
  return shown.replace(UNPRINTABLE, escaped);
}

/** A value as an error message shows it: short, on one line, and never by running the value's code. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string": {
      return `the string ${quoted(value, 80)}`;
    }
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "bigint":
      // One of a million digits takes seconds to print.
      return -LARGE < value && value < LARGE ? `the bigint ${value}n` : "a large bigint";
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    case "object":
      if (value === null) return "null";
      // A revoked one throws at whatever is asked.
      if (types.isProxy(value)) return "a Proxy";
      return Array.isArray(value) ? "an array" : "an object";
  }
}
