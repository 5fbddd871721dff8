// The formats of cgroup v2's files.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { flatKeyed, readIfThere, words, writeValue } from "#pidpool/pool/cgroup/files.js";
import { tempDir } from "../../helpers/files.ts";

test("flat keyed files and lists", () => {
  const events = flatKeyed("low 0\nhigh 0\nmax 34\noom 2\noom_kill 1\noom_group_kill 1\n");
  assert.deepEqual([events.get("oom_kill"), events.get("max"), events.get("nothing")], [1, 34, undefined]);
  assert.equal(flatKeyed("").size, 0);
  assert.equal(flatKeyed("max max\nmin -5\n").size, 0);
  assert.deepEqual(words("cpu io memory\n"), ["cpu", "io", "memory"]);
  assert.deepEqual(words("\n"), []);
});

test("a file that is missing reads as undefined, and is not created by a write", async (t) => {
  const file = join(tempDir(t), "cgroup.kill");
  assert.equal(await readIfThere(file), undefined);
  await assert.rejects(writeValue(file, "1"), { code: "ENOENT" });
});
