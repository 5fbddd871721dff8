// The same tests as an ordinary user: the way into the pool's pid namespace is another one, by a deputy of the launcher.
import assert from "node:assert/strict";
import { accessSync } from "node:fs";
import { test } from "node:test";
import { fixturePath, startFixture } from "../helpers/fixture.ts";
import { hasCommands } from "../helpers/processes.ts";

const WRAP = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const FILES = ["levels", "pid", "guardian", "mixed", "options", "signals", "newborn", "mounts", "keys"];

for (const file of FILES) {
  test(`${file}, as user nobody`, async (t) => {
    if (process.getuid?.() !== 0) return t.skip("needs root, to become another");
    if (!hasCommands("setpriv")) return t.skip("setpriv is not installed");
    accessSync(fixturePath(`../isolation/${file}.test`));
    const reachable = await startFixture("true", [], WRAP).ended;
    if (reachable.code !== 0) return t.skip("another user cannot reach this directory");
    const { code, stdout, stderr } = await startFixture(`../isolation/${file}.test`, [], WRAP).ended;
    assert.equal(code, 0, stdout.slice(-8000) + stderr);
  });
}
