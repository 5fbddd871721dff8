// Node as pid 1, as in a container without an init: orphans become its children, most signals do not reach it, and
// everything ends with it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { startFixture, type FixtureResult } from "./helpers/fixture.ts";
import { refusal } from "./helpers/isolation.ts";
import { allChildPids, isAlive, until } from "./helpers/processes.ts";

const root = process.getuid?.() === 0;
const UNSHARE = ["unshare", ...(root ? [] : ["--user", "--map-root-user"]), "--pid", "--fork", "--mount-proc"];
const [unshare = "", ...options] = UNSHARE;
const tried = spawnSync(unshare, [...options, "true"], { encoding: "utf8" });
const skip =
  tried.status !== 0 && `unshare(1) makes no pid namespace here: ${tried.error?.message ?? tried.stderr.trim()}`;

async function inside(...args: string[]): Promise<FixtureResult & { readonly said: unknown }> {
  const result = await startFixture("pid-one", args, UNSHARE).ended;
  assert.equal(result.stderr, "");
  return { ...result, said: JSON.parse(result.stdout) };
}

test("a parent that is pid 1 is not taken for one that has died", { skip }, async () => {
  assert.equal((await inside("parent")).said, "1");
});

test(
  "each exit is reported once, and zombies that pid 1 inherits are neither mixed up nor reaped",
  { skip },
  async () => {
    const { said, code } = await inside("orphans");
    assert.deepEqual(said, { codes: Array.from({ length: 60 }, (_, i) => i), exits: 60, own: 0, adopted: 60 });
    assert.equal(code, 0);
  },
);

for (const [level, parent] of [
  ["shared", "1"],
  ["contained", "0"],
  ["private", "1"],
] as const) {
  test(
    `"${level}": children of pid 1 are isolated and get signals`,
    { skip: skip || (await refusal(level)) },
    async () => {
      assert.deepEqual((await inside("level", level)).said, [parent, "SIGTERM"]);
    },
  );
}

test("a supervisor that dies has a successor", { skip }, async () => {
  assert.deepEqual((await inside("successor")).said, ["still here", "exited"]);
});

test(
  "process.exit() ends all, kept children and daemons too: the kernel kills what pid 1 leaves",
  { skip },
  async () => {
    const fixture = startFixture("pid-one", ["kept"], UNSHARE);
    await fixture.line();
    // Children of the namespace's init, which is unshare's child.
    const [init = 0] = allChildPids(fixture.process.pid);
    const left = allChildPids(init);
    const { code } = await fixture.ended;
    assert.equal(code, 3);
    await until(() => !left.some(isAlive));
  },
);

test("SIGTERM reaches a pid 1 that handles it, which ends its pool and itself", { skip }, async () => {
  const fixture = startFixture("pid-one", ["term"], UNSHARE);
  assert.equal(await fixture.line(), '"ready"');
  const [init = 0] = allChildPids(fixture.process.pid);
  process.kill(init, "SIGTERM");
  assert.equal(await fixture.line(), '"SIGKILL"');
  assert.equal((await fixture.ended).code, 0);
});
