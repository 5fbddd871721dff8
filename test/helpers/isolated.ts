// Tests that are of isolation: where this machine refuses the default level,
// each of them skips with the library's own reason.
import { test as anyTest, type TestContext, type TestOptions } from "node:test";
import { refusal } from "./isolation.ts";

const refused = await refusal("shared");

type Body = (t: TestContext) => void | Promise<void>;

/** As node:test's. */
export function test(name: string, ...rest: readonly [Body] | readonly [TestOptions, Body]): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  void anyTest(name, refused === false ? options : { ...options, skip: refused }, body);
}
