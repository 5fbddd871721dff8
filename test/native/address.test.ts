// Arrays of JavaScript that system calls are given.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { withAddress } from "#pidpool/native/address.js";
import { native } from "#pidpool/native/load.js";
import { fixturePath } from "../helpers/fixture.ts";

const run = promisify(execFile);

/** Many garbage collections, each of which frees arrays before the program goes on. Any other time it is a race. */
const OFTEN_AND_AT_ONCE = ["--max-semi-space-size=1", "--no-concurrent-array-buffer-sweeping"];

test("a garbage collection between the taking of an array's address and the system call leaves the array alone", async () => {
  const { stdout } = await run(process.execPath, [...OFTEN_AND_AT_ONCE, fixturePath("collected")]);
  assert.deepEqual(JSON.parse(stdout), {});
});

test("an array is lent until the call returns, or throws; calls may be nested", () => {
  const [outer, inner] = [Uint8Array.of(1, 2, 3), new Uint8Array(3)];
  const copied = withAddress(outer, (from) =>
    withAddress(inner, (to) => {
      native().copy(to, from, 3);
      return "copied";
    }),
  );
  assert.equal(copied, "copied");
  assert.deepEqual(inner, outer);
  const failure = new Error("within the call");
  assert.throws(
    () =>
      withAddress(outer, () => {
        throw failure;
      }),
    failure,
  );
  assert.equal(
    withAddress(outer, (address) => address),
    native().addressOf(outer),
  );
});
