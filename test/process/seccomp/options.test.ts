// The option seccomp: what is taken, what is refused, who decides.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvalidOptionError } from "#pidpool/errors.js";
import { NUMBERS } from "#pidpool/process/seccomp/numbers.js";
import { compileSeccomp } from "#pidpool/process/seccomp/seccomp.js";
import { AUDIT_ARCH, runFilter } from "../../helpers/bpf.ts";

const ALLOW = 0x7fff0000;
const LOG = 0x7ffc0000;
const KILL = 0x80000000;
const errno = (number: number): number => 0x00050000 + number;

function verdict(option: unknown, syscall: string, ...args: number[]): number {
  const nr = NUMBERS.x64.get(syscall) ?? assert.fail(syscall);
  return runFilter(compileSeccomp(option, "x64"), { nr, arch: AUDIT_ARCH.x64, args: args.map(BigInt) }).verdict;
}

describe("rules", () => {
  test("each action has its answer", () => {
    const option = {
      rules: [
        { syscalls: ["ptrace"], action: "kill" },
        { syscalls: ["mount"], action: "log" },
        { syscalls: ["kill"], action: { errno: "EACCES" } },
        { syscalls: ["bpf"], action: "allow" },
      ],
    };
    assert.deepEqual(
      ["ptrace", "mount", "kill", "bpf", "read"].map((name) => verdict(option, name)),
      [KILL, LOG, errno(13), ALLOW, ALLOW],
    );
  });

  test("the last of several decides, and all of them before the profile", () => {
    const option = {
      profile: "default",
      rules: [
        { syscalls: ["ptrace", "clone", "read"], action: "kill" },
        { syscalls: ["read", "clone"], action: "allow" },
      ],
    };
    const CLONE_NEWUSER = 0x10000000;
    assert.equal(verdict(option, "ptrace"), KILL);
    assert.equal(verdict(option, "read"), ALLOW);
    assert.equal(verdict(option, "clone", CLONE_NEWUSER), ALLOW);
    assert.equal(verdict(option, "mount"), errno(1));
    assert.equal(verdict(option, "clone3"), errno(38));
  });

  test("default is for what neither rules nor the profile speak of", () => {
    const option = { profile: "compute", default: "kill" };
    assert.equal(verdict(option, "socket"), KILL);
    assert.equal(verdict(option, "read"), ALLOW);
    assert.equal(verdict(option, "unlink"), errno(30));
  });

  test("a name of the other architecture alone is in order", () => {
    const option = { rules: [{ syscalls: ["open", "fork"], action: { errno: "EPERM" } }] };
    assert.equal(verdict(option, "open"), errno(1));
    assert.ok(compileSeccomp(option, "arm64").length > 0);
  });
});

describe("is refused", () => {
  const cases: [title: string, option: unknown, name: string, message: RegExp][] = [
    ["another profile", "strict", "seccomp", /it must be "default", "compute", or \{ profile, default, rules \}/],
    ["another type", 7, "seccomp", /it must be "default"/],
    ["null", null, "seccomp", /it must be "default"/],
    ["a list", ["read"], "seccomp", /must be an object/],
    ["an unknown key", { profiles: "default" }, "seccomp.profiles", /there are profile, default, rules/],
    ["another profile inside", { profile: "strict" }, "seccomp.profile", /one of "default", "compute"/],
    ["an unknown action", { default: "deny" }, "seccomp.default", /it must be "allow", "log", "kill" or \{ errno \}/],
    ["an unknown errno", { default: { errno: "EPREM" } }, "seccomp.default.errno", /a name of errno\(3\)/],
    ["a number for an errno", { default: { errno: 1 } }, "seccomp.default.errno", /a name of errno\(3\)/],
    ["an action with more", { default: { errno: "EPERM", kill: true } }, "seccomp.default.kill", /no such option/],
    ["rules that are no list", { rules: {} }, "seccomp.rules", /an array of rules/],
    ["a rule without names", { rules: [{ action: "kill" }] }, "seccomp.rules[0].syscalls", /an array of names/],
    ["a rule without action", { rules: [{ syscalls: [] }] }, "seccomp.rules[0].action", /it must be "allow"/],
    ["a rule that is none", { rules: [[]] }, "seccomp.rules[0]", /must be an object/],
    [
      "a name with a slip",
      { rules: [{ syscalls: ["read", "umount"], action: "kill" }] },
      "seccomp.rules[0].syscalls[1]",
      /the string "umount"; there is no such system call; did you mean "umount2"\?/,
    ],
    [
      "a name like no other",
      { rules: [{ syscalls: ["@mount-and-more"], action: "kill" }] },
      "seccomp.rules[0].syscalls[0]",
      /there is no such system call; see syscalls\(2\)/,
    ],
    ["a filter without execve", { default: "kill" }, "seccomp", /it must allow execve/],
    [
      "a filter without an end",
      { rules: [{ syscalls: ["exit_group"], action: { errno: "EPERM" } }] },
      "seccomp",
      /it must allow exit_group/,
    ],
  ];
  for (const [title, option, name, message] of cases) {
    test(title, () => {
      assert.throws(
        () => compileSeccomp(option, "x64"),
        (error) => {
          assert.ok(error instanceof InvalidOptionError);
          assert.equal(error.option, name);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});
