// What may come of a call: that it works, or an error of the library's own, of a
// code that is allowed, which a person can read.
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { ERROR_CODES, InvalidOptionError, PidpoolError, type ErrorCode } from "pidpool";
import type { Built, Case } from "./cases.ts";
import { Boom } from "./values.ts";

/** A file name may be as long as the kernel takes them, and be named twice. */
const LONGEST_MESSAGE = 10_000;
/** Control characters, lone surrogates, and what turns the direction of text. */
const UNPRINTABLE = /(?![\n\t])[\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** Checks an error, whatever it is about. */
export function assertTyped(error: unknown, codes: readonly ErrorCode[]): asserts error is PidpoolError {
  assert.ok(error instanceof PidpoolError, `not an error of the library: ${describe(error)}`);
  assert.ok(Object.hasOwn(ERROR_CODES, error.code));
  assert.ok(codes.includes(error.code), `${error.code} is not allowed here: ${describe(error)}`);
  assert.ok(error.message.length <= LONGEST_MESSAGE, `a message of ${error.message.length} characters`);
  assert.doesNotMatch(error.message, UNPRINTABLE);
  if (!(error instanceof InvalidOptionError)) return;
  assert.ok(error.message.startsWith(`${error.option} `), error.message);
  assert.ok(error.option.length > 0 && error.option.length < 600, error.option);
  assert.ok(error.message.length < 1500, `a message of ${error.message.length} characters`);
}

function describe(error: unknown): string {
  try {
    return error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  } catch {
    return "something that cannot be shown";
  }
}

/** Checks what a case must have done, beyond that. `error` is undefined where it worked. */
export function assertCase(given: Case, built: Built, error: unknown, prefix = ""): void {
  for (const [name, times] of built.reads) assert.ok(times <= 1, `${name} was read ${times} times`);
  const { onlyThrows } = given;
  if (onlyThrows !== undefined) {
    assert.ok(error instanceof InvalidOptionError, `nobody has read ${onlyThrows}, or ${describe(error)}`);
    assert.equal(error.option, `${prefix}${onlyThrows}`);
    assert.equal(error.cause, built.booms.get(onlyThrows));
  }
  // What is thrown by the caller's code reaches the caller.
  if (error instanceof InvalidOptionError && error.message.includes("cannot be read"))
    assert.ok(error.cause !== undefined || error.message.includes("report"), error.message);
  assert.ok(!(error instanceof Boom), "what a getter threw came out as it was");
}

/** Calls, and gives the error; undefined where there is none. */
export async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error ?? new Error(`rejected with ${String(error)}`);
  }
}

/** The same of what must not be a promise. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error ?? new Error(`threw ${String(error)}`);
  }
}

/** Codes of what is wrong with options alone: the machine may lack what they ask for. */
export const REFUSALS: readonly ErrorCode[] = ["ERR_INVALID_OPTION", "ERR_ISOLATION", "ERR_UNSUPPORTED"];

/** A property of a function that only checks. */
export function checks(call: (value: unknown) => unknown, prefix = ""): (given: Case) => void {
  return (given) => {
    const built = given.build();
    const error = thrownBy(() => call(built.value));
    if (error !== undefined) assertTyped(error, REFUSALS);
    assertCase(given, built, error, prefix);
  };
}
