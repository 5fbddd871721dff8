// The lists of both profiles.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isSyscall } from "#pidpool/process/seccomp/numbers.js";
import { COMPUTE_PROFILE } from "#pidpool/process/seccomp/profile-compute.js";
import { DEFAULT_PROFILE } from "#pidpool/process/seccomp/profile-default.js";

for (const [name, { rules }] of Object.entries({ default: DEFAULT_PROFILE, compute: COMPUTE_PROFILE })) {
  test(`the profile ${name} names system calls that exist, none of them twice in one rule`, () => {
    for (const { syscalls } of rules) {
      assert.deepEqual(
        syscalls.filter((syscall) => !isSyscall(syscall)),
        [],
      );
      assert.deepEqual(
        syscalls.filter((syscall, i) => syscalls.indexOf(syscall) !== i),
        [],
      );
    }
  });
}
