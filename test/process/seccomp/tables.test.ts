// The tables of system call numbers.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SYSCALL_NUMBERS } from "#pidpool/native/syscall-numbers.js";
import { NUMBERS } from "#pidpool/process/seccomp/numbers.js";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

test("the tables are what the kernel's headers give", (t) => {
  const { error, status, stderr } = spawnSync(process.execPath, ["scripts/syscall-tables.mjs", "--check"], {
    cwd: root,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (status === 2 || stderr.includes("ENOENT")) return t.skip(stderr.trim().split("\n")[0]);
  assert.equal(status, 0, stderr);
});

for (const arch of ["x64", "arm64"] as const) {
  test(`the numbers that the library itself calls by on ${arch} are the table's`, () => {
    for (const [name, nr] of Object.entries(SYSCALL_NUMBERS[arch])) assert.equal(NUMBERS[arch].get(name), nr, name);
  });

  test(`no two system calls of ${arch} have one number`, () => {
    const numbers = [...NUMBERS[arch].values()];
    assert.equal(new Set(numbers).size, numbers.length);
  });
}
