// Messages of the sd_notify protocol: taken apart, put together where several
// come at once, and read as what they mean. Pure functions; what comes here was
// written by programs that nobody trusts.
import { errnoMeaning, errnoName } from "../native/errno.ts";
import type { Notification } from "./notification.ts";
import { printable } from "./printable.ts";

/** Bytes of a message; systemd takes no longer ones either. */
export const LONGEST_MESSAGE = 4096;

/** The assignments of a message; of a name that is given twice, the last. */
export type Assignments = ReadonlyMap<string, string>;

/** Names that mean something here and have a short value. */
const SHORT: ReadonlySet<string> = new Set([
  "READY",
  "RELOADING",
  "STOPPING",
  "ERRNO",
  "EXIT_STATUS",
  "WATCHDOG",
  "WATCHDOG_USEC",
  "EXTEND_TIMEOUT_USEC",
]);
const LONGEST_SHORT = 32;
/** What the child is doing; only one of them holds at a time. */
const STATES = ["READY", "RELOADING", "STOPPING"] as const;
/** What concerns nobody but the one who receives: pings, and fds whose closing tells that all before was read. */
const HOUSEKEEPING: ReadonlySet<string> = new Set(["WATCHDOG", "WATCHDOG_USEC", "BARRIER"]);

/** Names without a meaning here that one notification can have. */
const MOST_OTHERS = 64;
/** Notifications that one child's messages become when they come at once. */
const MOST_AT_ONCE = 4;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Takes a message apart. Lines that are no UTF-8 or no assignment do not count, nor do values that are too long for
 * what they mean. Undefined for a message with a NUL anywhere but at its end: systemd takes none of it either.
 */
export function parseMessage(bytes: Uint8Array): Assignments | undefined {
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  const content = bytes.subarray(0, end);
  if (content.includes(0)) return undefined;
  const assignments = new Map<string, string>();
  for (const line of lines(content)) {
    const equals = line.indexOf("=");
    if (equals <= 0) continue;
    const name = line.slice(0, equals);
    const value = line.slice(equals + 1);
    if (SHORT.has(name) && value.length > LONGEST_SHORT) continue;
    assignments.delete(name);
    assignments.set(name, value);
  }
  return assignments;
}

function lines(bytes: Uint8Array): string[] {
  try {
    return utf8.decode(bytes).split("\n");
  } catch {
    const good: string[] = [];
    for (let at = 0; at <= bytes.length;) {
      const found = bytes.indexOf(10, at);
      const end = found < 0 ? bytes.length : found;
      try {
        good.push(utf8.decode(bytes.subarray(at, end)));
      } catch {
        // This line alone is lost.
      }
      at = end + 1;
    }
    return good;
  }
}

/** The same message as text, for {@link parseMessage} to read. */
export function formatMessage(assignments: Assignments): string {
  return Array.from(assignments, ([name, value]) => `${name}=${value}`).join("\n");
}

/** What several messages of one child come to, as few notifications as tell the same. */
export class Gathered {
  #all: Map<string, string>[] = [];

  /** Adds a message, unless it is mere housekeeping. */
  add(message: Assignments): void {
    if ([...message.keys()].every((name) => HOUSEKEEPING.has(name))) return;
    let last = this.#all.at(-1);
    const state = stateOf(message);
    const change = state !== undefined && last !== undefined && ![undefined, state].includes(stateOf(last));
    if (last === undefined || (change && this.#all.length < MOST_AT_ONCE))
      this.#all.push((last = new Map<string, string>()));
    // Only one who cannot make up his mind is not told step by step.
    else if (change) for (const name of STATES) last.delete(name);
    for (const [name, value] of message) {
      if (SHORT.has(name) || name === "STATUS" || last.has(name) || last.size < MOST_OTHERS) last.set(name, value);
    }
  }

  /** All that was gathered, in its order; it begins anew. */
  take(): Assignments[] {
    return this.#all.splice(0);
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }
}

function stateOf(message: Assignments): string | undefined {
  const states = STATES.filter((name) => message.get(name) === "1");
  return states.length === 0 ? undefined : states.join();
}

/** What a message means. */
export function readMessage(assignments: Assignments): Notification {
  const is = (name: string): boolean => assignments.get(name) === "1";
  const status = assignments.get("STATUS");
  const errno = errnoOf(assignments);
  const extension = wholeNumber(assignments.get("EXTEND_TIMEOUT_USEC"), Number.MAX_SAFE_INTEGER);
  return {
    ready: is("READY"),
    reloading: is("RELOADING"),
    stopping: is("STOPPING"),
    status: status === undefined ? null : printable(status),
    errno: errno === undefined ? null : errnoName(errno),
    exitStatus: wholeNumber(assignments.get("EXIT_STATUS"), 255) ?? null,
    extendTimeout: extension === undefined ? null : extension / 1000,
    fields: Object.fromEntries(assignments),
  };
}

/** WATCHDOG_USEC= in whole milliseconds; 0 ends the watchdog, as does systemd's word for infinity, practically. */
export function watchdogPeriod(assignments: Assignments): number | undefined {
  const usec = wholeNumber(assignments.get("WATCHDOG_USEC"), 2 ** 64);
  return usec === undefined ? undefined : Math.min(Math.ceil(usec / 1000), 0x7fffffff);
}

const MAX_ERRNO = 4095;

function errnoOf(assignments: Assignments): number | undefined {
  const errno = wholeNumber(assignments.get("ERRNO"), MAX_ERRNO);
  return errno === 0 ? undefined : errno;
}

function wholeNumber(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

/** The last words of a child: its last status, and the last error beside it. */
export class LastWords {
  #status: string | null = null;
  #errno: number | undefined;

  /** Each replaces what was said before; an empty STATUS= takes it back. */
  hear({ status, fields }: Notification): void {
    if (status !== null) this.#status = status === "" ? null : status;
    if (Object.hasOwn(fields, "ERRNO")) this.#errno = errnoOf(new Map(Object.entries(fields)));
  }

  /** As the report's `message` has them; null for none. */
  get message(): string | null {
    const errno = this.#errno;
    if (errno === undefined) return this.#status;
    const name = errnoName(errno);
    return this.#status === null ? `${name}: ${errnoMeaning(errno)}` : `${this.#status} (${name})`;
  }
}
