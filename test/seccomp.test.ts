// The suite's core under a seccomp filter like Docker's default profile.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFixture } from "./helpers/fixture.ts";

const CORE = ["pool/run", "pool/stdio", "pool/stop", "pool/supervisor", "process/launch-error", "process/credentials", "legacy"];

for (const name of CORE) {
  const file = fileURLToPath(new URL(name === "legacy" ? "./fixtures/legacy.js" : `./${name}.test.js`, import.meta.url));
  test(`${name} passes where clone3 is ENOSYS and user namespaces are refused`, async () => {
    assert.ok(existsSync(file));
    const { code, stdout, stderr } = await startFixture("docker-profile", [file]).ended;
    const failures = stdout.split("\n").filter((line) => line.trimStart().startsWith("not ok"));
    assert.deepEqual([code, failures], [0, []], stderr || stdout);
    assert.match(stdout, /^# pass [1-9]/m);
  });
}
