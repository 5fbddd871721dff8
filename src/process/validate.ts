// Checks that several options share. Each throws InvalidOptionError or returns
// the value in its checked type.
import { fileURLToPath } from "node:url";
import { InvalidOptionError } from "../errors.ts";

/** A string that can cross into the kernel: no NUL byte. */
export function text(name: string, value: unknown, allowEmpty = true): string {
  if (typeof value !== "string") throw new InvalidOptionError(name, value, "it must be a string");
  if (value.includes("\0")) throw new InvalidOptionError(name, value, "it must not hold a NUL byte");
  if (!allowEmpty && value === "") throw new InvalidOptionError(name, value, "it must not be empty");
  return value;
}

/** A path as a string or file: URL. */
export function path(name: string, value: unknown): string {
  if (value instanceof URL) {
    try {
      return text(name, fileURLToPath(value), false);
    } catch (error) {
      if (error instanceof InvalidOptionError) throw error;
      throw new InvalidOptionError(name, value.href, "it must be a path or a file: URL");
    }
  }
  if (typeof value !== "string") throw new InvalidOptionError(name, value, "it must be a path or a file: URL");
  return text(name, value, false);
}

/** A whole number within bounds. */
export function integer(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw new InvalidOptionError(name, value, `it must be a whole number from ${min} to ${max}`);
  }
  return value;
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

/** A plain bag of options, without keys that nobody knows. No option takes null; undefined means the default. */
export function bag(name: string, value: unknown, known: ReadonlySet<string>): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(name, value, "it must be an object");
  }
  for (const [key, given] of Object.entries(value as Record<string, unknown>)) {
    const option = name === "options" ? key : `${name}.${key}`;
    if (!known.has(key)) {
      throw new InvalidOptionError(option, given, `there is no such option; there are ${[...known].join(", ")}`);
    }
    if (given === null) throw new InvalidOptionError(option, null, "leave it out, or give undefined, for the default");
  }
  return value as Record<string, unknown>;
}
