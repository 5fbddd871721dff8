import assert from "node:assert/strict";
import { test } from "node:test";
import { PID_ROOM } from "#pidpool/native/layout.js";
import { givenEnv, withVariables, type EnvBlock } from "#pidpool/process/env.js";

/** The strings of a block, each from its offset to its NUL. */
function strings({ bytes, offsets }: EnvBlock): string[] {
  const all = Buffer.from(bytes);
  return Array.from(offsets, (at) => all.toString("utf8", at, all.indexOf(0, at)));
}

test("withVariables() without variables is the same environment", () => {
  const env = givenEnv({ A: "1" });
  assert.equal(withVariables(env, []), env);
});

test("withVariables() adds, and replaces what has the same name", () => {
  const env = givenEnv({ A: "1", LISTEN: "user", B: "2", LISTEN_MORE: "kept", PATH: "/bin" });
  const more = withVariables(env, [
    { name: "LISTEN", value: "pool" },
    { name: "EMPTY", value: "" },
  ]);
  assert.deepEqual(strings(more), ["A=1", "B=2", "LISTEN_MORE=kept", "PATH=/bin", "LISTEN=pool", "EMPTY="]);
  assert.equal(more.path, "/bin");
  assert.deepEqual(more.pids, []);
  assert.deepEqual(strings(env), ["A=1", "LISTEN=user", "B=2", "LISTEN_MORE=kept", "PATH=/bin"]);
});

test("withVariables() takes out a variable that is null, and only that", () => {
  const env = givenEnv({ A: "1", GONE: "x", B: "2" });
  assert.deepEqual(strings(withVariables(env, [{ name: "GONE", value: null }])), ["A=1", "B=2"]);
  const both = withVariables(env, [
    { name: "GONE", value: null },
    { name: "PID", value: undefined },
    { name: "NEVER", value: null },
    { name: "C", value: "3" },
  ]);
  assert.deepEqual(strings(both), ["A=1", "B=2", "PID=", "C=3"]);
});

test("withVariables() into an environment that is empty", () => {
  const block = withVariables(givenEnv({}), [{ name: "ONE", value: "1" }]);
  assert.deepEqual(strings(block), ["ONE=1"]);
  assert.equal(block.bytes.length, "ONE=1\0".length);
});

test("an own pid has its room right behind its name, whatever the bytes before it", () => {
  const env = givenEnv({ "ž 🐎": "é\n=\n", EQUALS: "a=b=c" });
  const block = withVariables(env, [
    { name: "FIRST_PID", value: undefined },
    { name: "WORD", value: "w" },
    { name: "SECOND_PID", value: undefined },
  ]);
  assert.deepEqual(strings(block), ["ž 🐎=é\n=\n", "EQUALS=a=b=c", "FIRST_PID=", "WORD=w", "SECOND_PID="]);
  const all = Buffer.from(block.bytes);
  assert.equal(block.pids.length, 2);
  block.pids.forEach((at, i) => {
    const name = ["FIRST_PID=", "SECOND_PID="][i] ?? "";
    assert.equal(all.toString("utf8", at - name.length, at), name);
    assert.deepEqual([...all.subarray(at, at + PID_ROOM)], new Array<number>(PID_ROOM).fill(0));
  });
  // The room of the last ends with the block.
  assert.equal((block.pids[1] ?? 0) + PID_ROOM, block.bytes.length);
});
