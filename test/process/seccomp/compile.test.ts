// Compiled filters, run in an interpreter: they answer as their rules say.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NUMBERS } from "#pidpool/process/seccomp/numbers.js";
import { planSeccomp, policyOf } from "#pidpool/process/seccomp/options.js";
import type { ArgumentTest, Policy } from "#pidpool/process/seccomp/policy.js";
import { compileSeccomp } from "#pidpool/process/seccomp/seccomp.js";
import { AUDIT_ARCH, runFilter } from "../../helpers/bpf.ts";

const ALLOW = 0x7fff0000;
const LOG = 0x7ffc0000;
const KILL = 0x80000000;
const ENOSYS = 0x00050000 + 38;

const OPTIONS: Readonly<Record<string, unknown>> = {
  default: "default",
  compute: "compute",
  "a list of refusals": { rules: [{ syscalls: ["kill", "tkill", "tgkill"], action: { errno: "ESRCH" } }] },
  "a list of what is allowed": {
    default: "kill",
    rules: [{ syscalls: ["execve", "exit", "exit_group", "read", "write", "open", "openat"], action: "allow" }],
  },
  "a profile with changes": {
    profile: "default",
    default: { errno: "EACCES" },
    rules: [
      { syscalls: ["ioctl", "execve", "exit", "exit_group", "socket"], action: "allow" },
      { syscalls: ["socket", "mount"], action: "kill" },
    ],
  },
  "what only logs": { default: "log" },
  "every other system call refused": {
    rules: [
      ...["x64", "arm64"].map((arch) => ({
        syscalls: [...NUMBERS[arch as "x64" | "arm64"]].filter(([, nr]) => nr % 2 === 0).map(([name]) => name),
        action: { errno: "EPERM" },
      })),
      { syscalls: ["execve", "exit", "exit_group"], action: "allow" },
    ],
  },
};

/** The last rule that fits, as slowly and plainly as can be. */
function expected(policy: Policy, name: string | undefined, args: readonly bigint[]): number {
  if (name === undefined) return policy.unknown;
  let verdict = policy.otherwise;
  for (const rule of policy.rules) {
    const fits = (rule.when ?? []).every((condition) => holds(condition, args));
    if (rule.syscalls.includes(name) && fits) verdict = rule.verdict;
  }
  return verdict;
}

function holds(condition: ArgumentTest, args: readonly bigint[]): boolean {
  const value = BigInt.asUintN(32, args[condition.argument] ?? 0n);
  if ("has" in condition) return ((value & BigInt(condition.bits)) !== 0n) === (condition.has === "anyBit");
  return condition.values.some((one) => BigInt(one) === value) === (condition.is === "oneOf");
}

/** Arguments on both sides of every test, alone and together; also with upper halves that do not count. */
function samples(policy: Policy, name: string | undefined): bigint[][] {
  const values = new Set([0n, 0xffffffffn]);
  for (const { syscalls, when = [] } of policy.rules) {
    if (name === undefined || !syscalls.includes(name)) continue;
    for (const condition of when) {
      const given =
        "has" in condition ? [condition.bits & -condition.bits, condition.bits, ~condition.bits] : condition.values;
      for (const value of given) {
        const word = BigInt.asUintN(32, BigInt(value));
        values
          .add(word)
          .add(word + 1n)
          .add(word | (1n << 32n));
      }
    }
  }
  const list = [...values];
  return list.flatMap((a) => list.map((b) => [a, b, a, b]).concat(list.map((b) => [b, a, b ^ 1n])));
}

for (const arch of ["x64", "arm64"] as const) {
  const names = new Map(Array.from(NUMBERS[arch], ([name, nr]) => [nr, name]));

  for (const [title, option] of Object.entries(OPTIONS)) {
    describe(`${title} on ${arch}`, () => {
      const filter = compileSeccomp(option, arch);
      const policy = policyOf(planSeccomp(option));

      test("answers all numbers as the rules say", () => {
        for (let nr = 0; nr <= 1024; nr++) {
          const name = names.get(nr);
          for (const args of samples(policy, name)) {
            const { verdict } = runFilter(filter, { nr, arch: AUDIT_ARCH[arch], args });
            assert.equal(verdict, expected(policy, name, args), `${nr} ${name} ${args.join()}`);
          }
        }
      });

      test("kills what calls by another architecture's numbers", () => {
        const others = [0x40000003, 0x40000028, AUDIT_ARCH[arch === "x64" ? "arm64" : "x64"], 0];
        for (const other of others) assert.equal(runFilter(filter, { nr: 0, arch: other }).verdict, KILL);
      });

      test("answers numbers beyond every table as a kernel that lacks them", () => {
        const unknown = title === "what only logs" ? LOG : ENOSYS;
        for (const nr of [471, 0x3fffffff]) {
          assert.equal(runFilter(filter, { nr, arch: AUDIT_ARCH[arch] }).verdict, unknown);
        }
        const x32 = arch === "x64" ? ENOSYS : unknown;
        for (const nr of [0x40000000, 0x40000001, 0x400001ff, 0xffffffff]) {
          assert.equal(runFilter(filter, { nr, arch: AUDIT_ARCH[arch] }).verdict, x32);
        }
      });

      test("takes some ten instructions at most to find the number", () => {
        const steps = Array.from(names.keys(), (nr) => runFilter(filter, { nr, arch: AUDIT_ARCH[arch] }).steps);
        const tests = policy.rules.flatMap((rule) => rule.when ?? []).length === 0 ? 0 : 14;
        assert.ok(Math.max(...steps) <= 13 + tests, `${Math.max(...steps)}`);
        assert.ok(filter.length / 8 <= 1024, `${filter.length / 8}`);
      });
    });
  }
}

test("equal options share one filter", () => {
  assert.equal(compileSeccomp("default", "x64"), compileSeccomp({ profile: "default" }, "x64"));
  assert.notEqual(compileSeccomp("default", "x64"), compileSeccomp("default", "arm64"));
});

test("the many filters of a long life are not all kept", () => {
  const first = compileSeccomp("compute", "x64");
  for (const [name] of [...NUMBERS.x64].filter(([, nr]) => nr > 430)) {
    compileSeccomp({ rules: [{ syscalls: [name], action: "kill" }] }, "x64");
  }
  assert.notEqual(compileSeccomp("compute", "x64"), first);
  assert.deepEqual(compileSeccomp("compute", "x64"), first);
});

test("a filter allows what is allowed whatever the arguments, for the kernel's cache to see", () => {
  const filter = compileSeccomp("default", "x64");
  for (const name of ["read", "write", "openat", "futex", "mmap", "clock_gettime", "epoll_wait", "execve"]) {
    const nr = NUMBERS.x64.get(name) ?? -1;
    assert.equal(runFilter(filter, { nr, arch: AUDIT_ARCH.x64, args: [1n, 2n, 3n] }).verdict, ALLOW, name);
  }
});
