// What the caller gives, read once: lists and bags of options become copies that
// nobody else can change, and that answer the same however often they are
// asked. Whatever a getter or a Proxy does, it does here.
import { types } from "node:util";
import { InvalidOptionError, quoted } from "../errors.ts";

/** No list of options is longer: execve(2) takes fewer arguments, and sparse arrays have lengths of their own. */
const MOST_ENTRIES = 2 ** 20;
/** Beyond what groups in groups need. */
const DEEPEST = 80;

/** Copies of what was met before, so that what is shared is read once; undefined while it is being read. */
type Met = Map<object, unknown>;

/**
 * Lists and plain objects, however deep, as they are now; functions, streams, bytes and all else that has an identity as
 * it is. Of an object its own enumerable properties count, as for a spread.
 *
 * @param option What the value is called in errors.
 * @throws InvalidOptionError where reading throws, with what was thrown as `cause`; or where a value contains itself.
 */
export function snapshot(option: string, value: unknown): unknown {
  return valueNow(option, value, new Map(), 0);
}

function valueNow(option: string, value: unknown, met: Met, depth: number): unknown {
  if (typeof value === "object" && value !== null) return copy(option, value, met, depth);
  // A Proxy of a function stays one when it is revoked, and is then even too much for isArray().
  if (typeof value === "function") attempt(option, () => Array.isArray(value));
  return value;
}

/** The entries of a list, each read once. `what` it must hold, in the plural. */
export function entriesOf(option: string, value: unknown, what: string): unknown[] {
  if (!attempt(option, () => Array.isArray(value))) {
    throw new InvalidOptionError(option, value, `it must be an array of ${what}`);
  }
  const list = value as unknown[];
  const length = attempt(option, () => list.length);
  if (!Number.isInteger(length) || length < 0 || length > MOST_ENTRIES) {
    throw new InvalidOptionError(option, value, `it must not have more than ${MOST_ENTRIES} entries`);
  }
  const entries = new Array<unknown>(length);
  for (let i = 0; i < length; i++) {
    try {
      entries[i] = list[i];
    } catch (cause) {
      throw unreadable(`${option}[${i}]`, cause);
    }
  }
  return entries;
}

/**
 * A copy of an object's own enumerable properties, each read once. It inherits nothing, not even from Object.
 *
 * @param name What a property is called in errors.
 */
export function propertiesOf(
  option: string,
  value: object,
  name: (option: string, key: string) => string = within,
): Record<string, unknown> {
  const keys = attempt(option, () => Object.keys(value));
  const properties = Object.create(null) as Record<string, unknown>;
  for (const key of keys) {
    try {
      properties[key] = (value as Record<string, unknown>)[key];
    } catch (cause) {
      throw unreadable(name(option, key), cause);
    }
  }
  return properties;
}

/** What an option in a bag is called in errors: its key is the caller's, and may be anything. */
export function within(option: string, key: string): string {
  const name = /^[\w$-]{1,64}$/.test(key) ? key : `[${quoted(key, 64)}]`;
  if (option === "options") return name;
  return name.startsWith("[") ? `${option}${name}` : `${option}.${name}`;
}

/** `instanceof`, which a Proxy in the chain of prototypes may answer by throwing: then it is none. */
export function isInstance<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type && !types.isProxy(value);
  } catch {
    return false;
  }
}

/** Runs the caller's code, such as a getter. */
export function attempt<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw unreadable(option, cause);
  }
}

function unreadable(option: string, cause: unknown): InvalidOptionError {
  return new InvalidOptionError(option, undefined, "its getter, iterator or Proxy has thrown what is the cause here", {
    cause,
  });
}

function copy(option: string, value: object, met: Met, depth: number): unknown {
  if (met.has(value)) {
    const known = met.get(value);
    if (known !== undefined) return known;
    throw new InvalidOptionError(option, value, "it must not contain itself");
  }
  if (depth > DEEPEST) {
    // The whole path would be a long one.
    const [top = option] = /^(?:[\w$-]+|\["(?:[^"\\]|\\.)*"\])/.exec(option) ?? [];
    throw new InvalidOptionError(top, value, `it must not hold more than ${DEEPEST} lists and objects in one another`);
  }
  met.set(value, undefined);
  const copied = copyOf(option, value, met, depth);
  met.set(value, copied);
  return copied;
}

function copyOf(option: string, value: object, met: Met, depth: number): unknown {
  const next = (name: string, entry: unknown): unknown => valueNow(name, entry, met, depth + 1);
  switch (attempt(option, () => kindOf(value))) {
    case "list": {
      const entries = entriesOf(option, value, "values");
      for (const [i, entry] of entries.entries()) entries[i] = next(`${option}[${i}]`, entry);
      return entries;
    }
    case "bag": {
      const properties = propertiesOf(option, value);
      // An environment has a copy of its own, where it is kept; see env.ts.
      for (const key of Object.keys(properties))
        if (key !== "env") properties[key] = next(within(option, key), properties[key]);
      return properties;
    }
    case "url":
      return attempt(option, () => new URL((value as URL).href));
    case "thing":
      return value;
  }
}

function kindOf(value: object): "list" | "bag" | "url" | "thing" {
  if (Array.isArray(value)) return "list";
  if (isInstance(value, URL)) return "url";
  return hasPlainPrototype(value) && !(Symbol.asyncIterator in value) ? "bag" : "thing";
}

/** Made by `{}`, in whatever realm, or without a prototype; no Proxy. */
export function isPlain(value: object): boolean {
  return !types.isProxy(value) && hasPlainPrototype(value);
}

function hasPlainPrototype(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
