// The suite's core under a seccomp filter like Docker's default profile.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFixture } from "./helpers/fixture.ts";

const CORE = [
  "pool/run",
  "pool/stdio",
  "pool/stop",
  "pool/supervisor",
  "process/launch-error",
  "process/credentials",
  "legacy",
];

for (const name of CORE) {
  const file = fileURLToPath(
    new URL(name === "legacy" ? "./fixtures/legacy.js" : `./${name}.test.js`, import.meta.url),
  );
  test(`${name} passes where clone3 is ENOSYS and user namespaces are refused`, async () => {
    assert.ok(existsSync(file));
    const { code, stdout, stderr } = await startFixture("docker-profile", [file]).ended;
    assert.equal(code, 0, stderr || stdout);
    // Node 20 and 22 write TAP here, later ones what people read.
    assert.match(stdout, /^[#ℹ] pass [1-9]/m);
  });
}

for (const [name, errno, symbol, why] of [
  ["pidfd_open", 38, "ENOSYS", /Linux 5\.10 or newer: pidfd_open failed with ENOSYS; .*since 5\.3/],
  ["close_range", 38, "ENOSYS", /close_range failed with ENOSYS; .*since 5\.9/],
  ["pidfd_open", 1, "EPERM", /refused here, perhaps by a seccomp filter/],
] as const) {
  test(`${name} answered with ${symbol}: a pool says at its construction what is missing`, async () => {
    const { code, stdout, stderr } = await startFixture("old-kernel", [name, String(errno)]).ended;
    assert.equal(code, 0, stderr);
    const [errorCode, syscall, errnoName, message] = JSON.parse(stdout) as [string, string, string, string];
    assert.deepEqual([errorCode, syscall, errnoName], ["ERR_UNSUPPORTED", name, symbol]);
    assert.match(message, why);
  });
}
