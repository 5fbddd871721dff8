// Rejections as values of their type.
import assert from "node:assert/strict";

/** The error that a promise rejects with, which must be of this class. */
export async function rejection<T extends Error>(
  promise: Promise<unknown>,
  type: new (...args: never[]) => T,
): Promise<T> {
  const error = await promise.then(
    () => assert.fail(`resolved, instead of rejecting with a ${type.name}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof type, `rejected with ${String(error)} instead of a ${type.name}`);
  return error;
}

/** What an error's message says first; the lines below it have the figures. */
export function firstLine(error: Error): string {
  return error.message.split("\n", 1)[0] ?? "";
}
