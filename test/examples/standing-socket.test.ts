import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { refusal } from "../helpers/isolation.ts";

test("the example runs, and no request fails", { skip: await refusal("shared") }, () => {
  const main = fileURLToPath(new URL("../../examples/standing-socket/main.js", import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [main], { encoding: "utf8", timeout: 60_000 });
  assert.equal(status, 0, stderr);
  const [, answered, processes] = /^(\d+) requests answered by (\d+) processes, 0 failed$/m.exec(stdout) ?? [];
  assert.ok(Number(answered) > 0, stdout);
  assert.ok(Number(processes) > 0, stdout);
});
