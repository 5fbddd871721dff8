// Nothing is left behind on any path: fds and children are counted in a Node of their own.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startFixture } from "./helpers/fixture.ts";
import { hasCommands } from "./helpers/processes.ts";

test("every way to fail leaves no fd and no process", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "pidpool-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const { code, stdout, stderr } = await startFixture("leaks", [dir]).ended;
  assert.equal(code, 0, stderr);
  const { first, second } = JSON.parse(stdout) as { first: string[]; second: string[] };
  assert.deepEqual(second, first);
  assert.ok(first.includes("rejected") && first.includes("fulfilled"));
});

for (const mode of ["before the pool", "from the start", "for a while", "for good"]) {
  test(`out of fds ${mode}: the launch waits for room within bounds`, async (t) => {
    if (!hasCommands("prlimit")) return t.skip("prlimit(1) is not installed");
    const { code, stdout, stderr } = await startFixture("exhausted", [mode], ["prlimit", "--nofile=256"]).ended;
    assert.equal(code, 0, stderr);
    const outcome = JSON.parse(stdout) as Record<string, string>;
    if (mode !== "for good") {
      assert.deepEqual(outcome, { stdout: "there is room\n" });
    } else {
      assert.equal(outcome["again"], "again\n");
      assert.deepEqual([outcome["stage"], outcome["errno"]], ["pipe", "EMFILE"]);
      assert.match(outcome["message"] ?? "", /too many open files/);
    }
    return undefined;
  });
}

test("out of processes: the launch waits for one to end", async (t) => {
  if (process.geteuid?.() !== 0) return t.skip("needs root, to start children of another user");
  if (!hasCommands("prlimit")) return t.skip("prlimit(1) is not installed");
  const { code, stdout, stderr } = await startFixture("process-limit", [], ["prlimit", "--nproc=1"]).ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), ["exited", "exited", "exited"]);
  return undefined;
});

test("5 000 lifecycles of all kinds: as many reports, fds, threads and handles as before, flat memory", async (t) => {
  if (!hasCommands("cc")) return t.skip("needs cc, for small programs");
  const { code, stdout, stderr } = await startFixture("../soak/soak", ["5000"]).ended;
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, /^5000 lifecycles, 4750 reports and 250 failed launches$/m);
  return undefined;
});
