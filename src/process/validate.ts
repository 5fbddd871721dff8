// Checks that several options share. Each throws InvalidOptionError or returns
// the value in its checked type.
import { fileURLToPath } from "node:url";
import { InvalidOptionError } from "../errors.ts";
import { bare } from "./bare.ts";
import { attempt, entriesOf, isInstance, isPlain, snapshot, within } from "./snapshot.ts";

/** A string that can cross into the kernel: no NUL byte. */
export function text(name: string, value: unknown, allowEmpty = true): string {
  if (typeof value !== "string") throw new InvalidOptionError(name, value, "it must be a string");
  if (value.includes("\0")) throw new InvalidOptionError(name, value, "it must not hold a NUL byte");
  if (!allowEmpty && value === "") throw new InvalidOptionError(name, value, "it must not be empty");
  return value;
}

/** A path as a string or file: URL. */
export function path(name: string, value: unknown): string {
  if (isInstance(value, URL)) {
    const href = attempt(name, () => value.href);
    let file: string;
    try {
      file = fileURLToPath(href);
    } catch {
      throw new InvalidOptionError(name, href, "it must be a path or a file: URL");
    }
    return text(name, file, false);
  }
  if (typeof value !== "string") throw new InvalidOptionError(name, value, "it must be a path or a file: URL");
  return text(name, value, false);
}

/** A whole number within bounds. */
export function integer(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw new InvalidOptionError(name, value, `it must be a whole number from ${min} to ${max}`);
  }
  // Not -0.
  return value + 0;
}

/** A number that may also be Infinity. */
export function amount(name: string, value: unknown, min: number, max: number, unit: string): number {
  if (typeof value !== "number" || Number.isNaN(value) || value < min || (value > max && value !== Infinity)) {
    throw new InvalidOptionError(name, value, `it must be a number of ${unit} from ${min} to ${max}, or Infinity`);
  }
  return value;
}

/** One of a few literal values. */
export function oneOf<const T extends string | boolean>(name: string, value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) {
    throw new InvalidOptionError(
      name,
      value,
      `it must be one of ${allowed.map((item) => JSON.stringify(item)).join(", ")}`,
    );
  }
  return found;
}

/** A list whose entries `item` checks, each by its own name. `what` they are, in the plural. */
export function list<T>(
  name: string,
  value: unknown,
  what: string,
  item: (name: string, entry: unknown) => T,
): readonly T[] {
  return entriesOf(name, value, what).map((entry, i) => item(`${name}[${i}]`, entry));
}

/**
 * A bag of options, as snapshot.ts makes it, without keys that nobody knows; it inherits nothing. No option takes null;
 * undefined means the default.
 */
export function bag(name: string, value: unknown, known: ReadonlySet<string>): Record<string, unknown> {
  if (value === undefined) return bare({});
  const given = bare(plain(name, value));
  for (const [key, entry] of Object.entries(given)) {
    if (!known.has(key)) {
      const all = [...known].join(", ");
      throw new InvalidOptionError(within(name, key), entry, `there is no such option; there are ${all}`);
    }
    if (entry === null)
      throw new InvalidOptionError(within(name, key), null, "leave it out, or give undefined, for the default");
  }
  return given;
}

/** Switches alone, each false where it is left out. */
export function switches<const K extends string>(
  name: string,
  value: unknown,
  known: readonly K[],
): Record<K, boolean> {
  const given = bag(name, snapshot(name, value), new Set(known));
  const entries = known.map((key) => [key, oneOf(within(name, key), given[key] ?? false, [true, false])] as const);
  return Object.fromEntries(entries) as Record<K, boolean>;
}

/** An object that does no more than hold its properties. */
export function plain(name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(name, value, "it must be an object");
  }
  if (!isPlain(value)) {
    throw new InvalidOptionError(name, value, "it must be a plain object; of others, give a copy: { ...it }");
  }
  return value as Record<string, unknown>;
}
