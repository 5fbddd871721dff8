import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessPool } from "pidpool";

test("a program runs", async () => {
  await using pool = new ProcessPool();
  assert.equal((await pool.run("echo", ["hi"])).stdout, "hi\n");
});
