import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const fixture = fileURLToPath(new URL("../fixtures/exhaustion.js", import.meta.url));

/** What a pool does in a process of its own that runs out of fds. */
async function exhausted(mode: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)("sh", ["-c", 'ulimit -n 80; exec "$0" "$@"', process.execPath, fixture, mode], { timeout: 60_000 });
  return JSON.parse(stdout);
}

test("launches wait while fds have run out, and go on when there are some again", async () => {
  assert.deepEqual(await exhausted("recover"), { retried: true, completed: 1, outputs: ["0\n", "1\n", "2\n", "3\n"] });
});

test("destroy() rejects the launches that wait for fds, and starts none of them", async () => {
  const closed = "ERR_CLOSED";
  assert.deepEqual(await exhausted("destroy"), { codes: [closed, closed, closed, closed], children: [] });
});

test("a run for which not even a supervisor can be set up rejects, and the pool stays usable", async () => {
  const failed = "ERR_SUPERVISOR";
  assert.deepEqual(await exhausted("noSupervisor"), { errors: [failed, failed], running: 0, children: 0, stdout: "recovered\n" });
});
