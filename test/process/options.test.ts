import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { InvalidOptionError, PidpoolError, ProcessPool } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { childPids, openFds } from "../helpers/processes.ts";

/** What is wrong: the options, which one the error must name, and (part of) what it must say is allowed. */
type Case = readonly [options: Record<string, unknown>, option: string, allowed: RegExp];

const closedFd = openSync("/dev/null", "r");
closeSync(closedFd);

const COMMON: readonly Case[] = [
  [{ cwd: "a\0b" }, "cwd", /NUL/],
  [{ cwd: "" }, "cwd", /empty/],
  [{ cwd: 5 }, "cwd", /a path or a file: URL/],
  [{ cwd: new URL("https://example.org/") }, "cwd", /a path or a file: URL/],
  [{ env: { A: "x\0y" } }, 'env["A"]', /NUL/],
  [{ env: { A: 1 } }, 'env["A"]', /a string or undefined/],
  [{ env: { A: null } }, 'env["A"]', /a string or undefined/],
  [{ env: { "A\0B": "x" } }, "env", /name/],
  [{ env: { "A=B": "x" } }, "env", /name/],
  [{ env: { "": "x" } }, "env", /name/],
  [{ env: ["A=1"] }, "env", /an object of strings/],
  [{ env: "A=1" }, "env", /an object of strings/],
  [{ timeout: -1 }, "timeout", /milliseconds from 0/],
  [{ timeout: NaN }, "timeout", /milliseconds/],
  [{ timeout: "5" }, "timeout", /milliseconds/],
  [{ timeout: 2 ** 31 }, "timeout", /2147483647/],
  [{ killSignal: "SIGNONE" }, "killSignal", /SIGTERM/],
  [{ killSignal: 0 }, "killSignal", /from 1 to 64/],
  [{ killSignal: 65 }, "killSignal", /from 1 to 64/],
  [{ killAfter: -1 }, "killAfter", /milliseconds/],
  [{ killAfter: null }, "killAfter", /leave it out/],
  [{ encoding: null }, "encoding", /leave it out/],
  [{ session: null }, "session", /leave it out/],
  [{ env: null }, "env", /leave it out/],
  [{ maxOutput: -1 }, "maxOutput", /bytes/],
  [{ maxOutput: "1k" }, "maxOutput", /bytes/],
  [{ outputGrace: -1 }, "outputGrace", /milliseconds/],
  [{ encoding: "utf9" }, "encoding", /"buffer" or an encoding/],
  [{ encoding: 8 }, "encoding", /"buffer" or an encoding/],
  [{ isolation: "chroot" }, "isolation", /one of none, shared, contained, private/],
  [{ uid: -1 }, "uid", /from 0 to 4294967294/],
  [{ uid: 1.5 }, "uid", /whole number/],
  [{ uid: "root" }, "uid", /whole number/],
  [{ uid: 2 ** 32 - 1 }, "uid", /from 0 to 4294967294/],
  [{ gid: -1 }, "gid", /whole number/],
  [{ groups: 5 }, "groups", /an array/],
  [{ groups: [0, "wheel"] }, "groups[1]", /whole number/],
  [{ umask: 0o1000 }, "umask", /from 0 to 511/],
  [{ umask: "022" }, "umask", /whole number/],
  [{ nice: 20 }, "nice", /from -20 to 19/],
  [{ nice: -21 }, "nice", /from -20 to 19/],
  [{ session: "new" }, "session", /false, true, "group"/],
  [{ orphans: "leave" }, "orphans", /"kill", "keep"/],
  [{ check: 1 }, "check", /true, false/],
  [{ limits: 5 }, "limits", /an object/],
  [{ filesystem: [] }, "filesystem", /an object/],
  [{ tcp: { connect: 443 } }, "tcp.connect", /an array/],
  [{ limit: {} }, "limit", /no such option/],
  [{ timeOut: 5 }, "timeOut", /no such option; there are .*timeout/],
];

const LAUNCH: readonly Case[] = [
  ...COMMON,
  [{ argv0: "a\0" }, "argv0", /NUL/],
  [{ argv0: 5 }, "argv0", /a string/],
  [{ signal: {} }, "signal", /AbortSignal/],
  [{ signal: "SIGTERM" }, "signal", /AbortSignal/],
  [{ input: 5 }, "input", /a string, bytes/],
  [{ input: {} }, "input", /a string, bytes/],
  [{ input: null }, "input", /leave it out/],
  [{ input: { file: 5 } }, "input.file", /a path/],
  [{ input: { file: "a\0" } }, "input.file", /NUL/],
  [{ stdio: "none" }, "stdio[0]", /"ignore", "inherit"/],
  [{ stdio: {} }, "stdio", /a list by fd number/],
  [{ stdio: 1 }, "stdio", /a list by fd number/],
  [{ stdio: Array.from({ length: 257 }) }, "stdio", /not be longer than 256/],
  [{ stdio: ["capture"] }, "stdio[0]", /stdin cannot be captured/],
  [{ stdio: [null, -1] }, "stdio[1]", /whole number from 0/],
  [{ stdio: [null, 1.5] }, "stdio[1]", /whole number from 0/],
  [{ stdio: [null, NaN] }, "stdio[1]", /whole number from 0/],
  [{ stdio: [null, 2 ** 31] }, "stdio[1]", /whole number from 0/],
  [{ stdio: [null, closedFd] }, "stdio[1]", /is not open in this process/],
  [{ stdio: [null, null, null, 1_000_000] }, "stdio[3]", /is not open in this process/],
  [{ stdio: [...Array.from({ length: 200 }, () => null), "inherit"] }, "stdio[200]", /is not open in this process/],
  [{ stdio: ["ignore", 0, "ignore", 0] }, "stdio[3]", /more than once/],
  [{ stdio: ["ignore", "ignore", "ignore", 0, 0] }, "stdio[4]", /more than once/],
  [{ stdio: [null, true] }, "stdio[1]", /"ignore", "inherit"/],
  [{ stdio: [null, "overlapped"] }, "stdio[1]", /"ignore", "inherit"/],
  [{ stdio: [null, {}] }, "stdio[1]", /"ignore", "inherit"/],
  [{ stdio: [null, { file: "" }] }, "stdio[1].file", /empty/],
  [{ stdio: [null, { file: "a\0b" }] }, "stdio[1].file", /NUL/],
  [{ stdio: [null, { file: "x", mode: 5 }] }, "stdio[1].mode", /no such option/],
  [{ stdio: [null, { file: "x", append: 1 }] }, "stdio[1].append", /true or false/],
  [{ stdio: [null, { file: "x", read: "yes" }] }, "stdio[1].read", /true or false/],
  [{ stdio: [null, { file: "x", append: true, read: true }] }, "stdio[1].append", /cannot be appended/],
  [{ stdio: Array.from({ length: 40 }, (_, i) => (i === 0 ? "ignore" : "capture")) }, "stdio", /can be captured/],
  [{ input: "x", stdio: ["ignore"] }, "stdio[0]", /option input/],
  [{ input: "x", stdio: ["inherit", "capture"] }, "stdio[0]", /option input/],
  [{ input: "x", stdio: [0] }, "stdio[0]", /option input/],
];

const RUN: readonly Case[] = [
  ...LAUNCH,
  [{ stdio: "pipe" }, "stdio[0]", /capture.*spawn\(\)/],
  [{ stdio: ["ignore", "pipe"] }, "stdio[1]", /capture.*spawn\(\)/],
  [{ stdio: [null, null, null, "pipe"] }, "stdio[3]", /capture.*spawn\(\)/],
  [{ file: "x" }, "file", /no such option/],
  [{ threads: 2 }, "threads", /no such option/],
  [{ concurrency: 2 }, "concurrency", /no such option/],
];

function checkError(error: unknown, option: string, allowed: RegExp): void {
  assert.ok(error instanceof InvalidOptionError, `${option}: ${String(error)}`);
  assert.ok(error instanceof PidpoolError);
  assert.equal(error.name, "InvalidOptionError");
  assert.equal(error.code, "ERR_INVALID_OPTION");
  assert.equal(error.option, option);
  assert.match(error.message, allowed);
  assert.ok(error.message.startsWith(`${option} is `), error.message);
}

for (const [kind, cases] of [
  ["run", RUN],
  ["spawn", LAUNCH],
] as const) {
  test(`${kind}() rejects each wrong option by its name, and starts nothing`, async () => {
    await using pool = new ProcessPool();
    const before = openFds();
    for (const [options, option, allowed] of cases) {
      const call: Promise<unknown> = kind === "run" ? pool.run("true", [], options) : pool.spawn("true", [], options);
      checkError(await rejection(call, Error), option, allowed);
    }
    assert.deepEqual(openFds(), before);
    assert.deepEqual(childPids(), []);
    assert.deepEqual(pool.stats().supervisors, []);
    assert.equal(pool.stats().failed, 0);
  });
}

test("command() throws for the same wrong options", async () => {
  await using pool = new ProcessPool();
  for (const [options, option, allowed] of LAUNCH) {
    assert.throws(
      () => pool.command("true", [], options),
      (error) => (checkError(error, option, allowed), true),
    );
  }
});

test("a pool throws for wrong defaults, and for options that it has not", () => {
  const own: readonly Case[] = [
    [{ threads: 0 }, "threads", /from 1 to 64/],
    [{ threads: 1.5 }, "threads", /whole number/],
    [{ threads: "2" }, "threads", /whole number/],
    [{ concurrency: 0 }, "concurrency", /children from 1/],
    [{ concurrency: 1.5 }, "concurrency", /whole number/],
    [{ concurrency: NaN }, "concurrency", /children/],
    [{ maxQueue: -1 }, "maxQueue", /runs from 0/],
    [{ maxQueue: 0.5 }, "maxQueue", /whole number/],
    [{ input: "x" }, "input", /no such option/],
    [{ stdio: "ignore" }, "stdio", /no such option/],
    [{ signal: AbortSignal.abort() }, "signal", /no such option/],
  ];
  for (const [options, option, allowed] of [...COMMON, ...own]) {
    assert.throws(
      () => new ProcessPool(options),
      (error) => (checkError(error, option, allowed), true),
    );
  }
  assert.throws(() => new ProcessPool(null as never), { code: "ERR_INVALID_OPTION" });
  assert.throws(() => new ProcessPool("x" as never), { code: "ERR_INVALID_OPTION" });
});

test("file and args are checked, too", async () => {
  await using pool = new ProcessPool();
  const cases: readonly [file: unknown, args: unknown, option: string, allowed: RegExp][] = [
    ["a\0b", [], "file", /NUL/],
    ["", [], "file", /empty/],
    [undefined, [], "file", /a path/],
    [5, [], "file", /a path/],
    [new URL("https://example.org"), [], "file", /a path or a file: URL/],
    ["true", "x", "args", /an array of strings/],
    ["true", { 0: "x" }, "args", /an array of strings/],
    ["true", null, "args", /an array of strings/],
    ["true", ["a", "b\0c"], "args[1]", /NUL/],
    ["true", ["a", 5], "args[1]", /a string/],
    ["true", [undefined], "args[0]", /a string/],
    // A hole in an array is no argument.
    ["true", Array.from({ length: 1 }), "args[0]", /a string/],
  ];
  for (const [file, args, option, allowed] of cases) {
    checkError(await rejection(pool.run(file as string, args as string[]), Error), option, allowed);
    checkError(await rejection(pool.spawn(file as string, args as string[]), Error), option, allowed);
    assert.throws(
      () => pool.command(file as string, args as string[]),
      (error) => (checkError(error, option, allowed), true),
    );
  }
  for (const options of [null, 5, "x", []]) {
    checkError(await rejection(pool.run("true", [], options as never), Error), "options", /an object/);
  }
  assert.deepEqual(pool.stats().supervisors, []);
});

test("an error shows the value shortly, and never runs its code", async () => {
  await using pool = new ProcessPool();
  const message = async (timeout: unknown): Promise<string> =>
    (await rejection(pool.run("true", [], { timeout: timeout as number }), InvalidOptionError)).message.split(";")[0] ??
    "";
  const trap = { toString: () => assert.fail("toString was called"), toJSON: () => assert.fail("toJSON was called") };
  assert.equal(await message(trap), "timeout is an object");
  assert.equal(await message("a\nb"), 'timeout is the string "a\\nb"');
  assert.equal(await message(null), "timeout is null");
  assert.equal(await message(NaN), "timeout is NaN");
  assert.equal(await message([1]), "timeout is an array");
  assert.equal(await message(5n), "timeout is the bigint 5n");
  assert.equal(await message(Symbol("x")), "timeout is a symbol");
  assert.equal(await message(() => 1), "timeout is a function");
  assert.equal(await message("x".repeat(10_000)), `timeout is the string "${"x".repeat(77)}..."`);
});
