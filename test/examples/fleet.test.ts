// The fleet loses no job, and puts aside those that kill a worker.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { refusal } from "../helpers/isolation.ts";

test("the fleet does all jobs but those that kill a worker", { skip: await refusal("shared") }, () => {
  const main = fileURLToPath(new URL("../../examples/fleet/main.js", import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [main], { encoding: "utf8", timeout: 100_000 });
  assert.equal(status, 0, stderr);
  // One that dies while it is being replaced is not among these.
  assert.match(stdout, /^worker \d process \d+ exited with code 70: worker \d: cannot digest job-\d+$/m);
  assert.match(stdout, /^worker \d starts again after \d+ ms$/m);
  assert.match(stdout, /^4 of 4 workers were replaced, one by one$/m);
  assert.match(stdout, /^596 jobs are done, 4 were put aside$/m);
});
