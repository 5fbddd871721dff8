// The profile "compute" on real programs and real system calls.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { program, tempDir } from "../../helpers/files.ts";
import { arch, missing, UnderFilter, type Call } from "../../helpers/under-filter.ts";

const filter = new UnderFilter("compute");
/** The interpreter itself: what is in PATH may be a script that looks for it by starting programs. */
const python = spawnSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).stdout?.trim();
const noPython = missing("python3");

describe("programs from stdin to stdout run under the profile compute", { skip: filter.unavailable }, () => {
  const cases: [file: string, args: string[], input: string, output: string][] = [
    ["cat", [], "a\nb\n", "a\nb\n"],
    ["sha256sum", [], "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  -\n"],
    ["sort", ["--parallel=2"], "b\na\n", "a\nb\n"],
    ["awk", ["{ s += $1 } END { print s, sqrt(s) }"], "9\n16\n", "25 5\n"],
    ["sed", ["s/a/b/g"], "banana\n", "bbnbnb\n"],
    ["jq", ["-c", ".a"], '{"a":[1]}', "[1]\n"],
    ["bc", [], "2^64\n", "18446744073709551616\n"],
    ["perl", ["-ne", "print uc"], "abc\n", "ABC\n"],
    ["bash", ["--norc", "-c", "while read -r x; do echo $((x * 2)); done"], "4\n5\n", "8\n10\n"],
    [process.execPath, ["-e", 'process.stdin.on("data", (d) => console.log(String(d).length))'], "12345", "5\n"],
    [
      process.execPath,
      [
        "-e",
        'new (require("node:worker_threads").Worker)("console.log(require(`node:zlib`).gzipSync(`x`).length)", { eval: true })',
      ],
      "",
      "21\n",
    ],
  ];
  for (const [file, args, input, output] of cases) {
    test(`${file === process.execPath ? "node" : file} ${args[0] ?? ""}`, { skip: missing(file) }, () => {
      const { code, signal, stdout, stderr } = filter.run(file, args, { input });
      assert.equal(stdout, output, `${code} ${signal} ${stderr}`);
      assert.equal(code, 0);
    });
  }

  test("gzip there and back", { skip: missing("gzip") }, () => {
    const { code, stdout, stderr } = filter.run("sh", ["-c", "exec gzip -c"], { input: "x" });
    assert.equal(code, 0, stderr);
    assert.ok(stdout.length > 10);
  });

  test("python computing, with threads", { skip: noPython }, () => {
    const script = `
import sys, json, hashlib, decimal, random, threading, zlib
from concurrent.futures import ThreadPoolExecutor
data = sys.stdin.read()
with ThreadPoolExecutor(2) as pool: print(list(pool.map(len, data.split())))
print(hashlib.md5(data.encode()).hexdigest()[:4], decimal.Decimal(2).sqrt() > 1, zlib.crc32(b"a"))`;
    const { stdout, stderr } = filter.run(python, ["-c", script], { input: "a bc" });
    assert.equal(stdout, "[1, 2]\n7e22 True 3904355907\n", stderr);
  });

  test("a script by its interpreter, which is a second execve", (t) => {
    const file = program(tempDir(t), "script", "#!/usr/bin/env sh\nread x; echo $x\n");
    assert.equal(filter.run(file, [], { input: "hi\n" }).stdout, "hi\n");
  });

  test("ffmpeg from pipe to pipe", { skip: missing("ffmpeg") }, () => {
    const args = ["-v", "error", "-f", "s16le", "-ar", "8000", "-i", "pipe:0", "-f", "wav", "pipe:1"];
    const { code, stdout, stderr } = filter.run("ffmpeg", args, { input: "\0".repeat(1600) });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^RIFF/);
  });
});

describe("the profile compute refuses", { skip: filter.unavailable }, () => {
  const BAD = 1;
  const O = { WRONLY: 1, RDWR: 2, CREAT: 0o100, TRUNC: 0o1000, TMPFILE: 0o20000000 };
  const cases: [what: string, answer: string, calls: Call[]][] = [
    ["to open for writing", "EROFS", Object.values(O).map((flags): Call => ["openat", -1, BAD, flags])],
    [
      "to change files",
      "EROFS",
      [
        ["unlinkat", -1, BAD],
        ["mkdirat", -1, BAD],
        ["renameat2", -1, BAD, -1, BAD],
        ["linkat", -1, BAD, -1, BAD],
        ["symlinkat", BAD, -1, BAD],
        ["fchmodat", -1, BAD],
        ["fchownat", -1, BAD],
        ["truncate", BAD],
        ["utimensat", -1, BAD],
        ["setxattr", BAD, BAD],
        ["fchmod", -1],
      ],
    ],
    [
      "to start processes",
      "EPERM",
      [
        ["clone", 17],
        ["clone", 0x4111],
        ["clone", 0x10000 | 0x10000000],
        ["unshare", 0],
        ["execveat", -1, BAD],
      ],
    ],
    [
      "sockets",
      "EPERM",
      [
        ["socket", 1, 1],
        ["socket", 2, 1],
        ["socketpair", 1, 1, 0, BAD],
        ["connect", -1],
        ["bind", -1],
        ["listen", -1],
        ["accept4", -1],
      ],
    ],
    [
      "signals",
      "EPERM",
      [
        ["kill", 2 ** 30, 0],
        ["kill", 0, 0],
        ["tkill", 2 ** 30, 0],
        ["tgkill", 2 ** 30, 2 ** 30, 6],
        ["rt_sigqueueinfo", 2 ** 30],
        ["pidfd_open", 1],
        ["pidfd_send_signal", -1],
        ["fcntl", 0, 8, 1],
        ["fcntl", 0, 15, BAD],
      ],
    ],
    [
      "to leave its group or outlive its parent",
      "EPERM",
      [["setsid"], ["setpgid", 0, 0], ["prctl", 1, 0], ["prctl", 62, 9]],
    ],
    [
      "to change others",
      "EPERM",
      [
        ["prlimit64", 1, 7, 0, BAD],
        ["setpriority", 0, 1, 1],
        ["sched_setaffinity", 1],
        ["ptrace", 0],
        ["setuid", 0],
      ],
    ],
    [
      "most ioctls",
      "ENOTTY",
      [
        ["ioctl", 0, 0x5412, BAD],
        ["ioctl", 0, 0x8901, BAD],
        ["ioctl", 0, 0x5402, BAD],
      ],
    ],
    ["flags in memory, and the unknown", "ENOSYS", [["clone3", 0, 0], ["openat2", -1, BAD, BAD, 24], ["471"]]],
  ];
  for (const [what, answer, calls] of cases) {
    test(what, () =>
      assert.deepEqual(
        filter.call(...calls),
        calls.map(() => answer),
      ),
    );
  }

  test("the calls that x64 alone has", { skip: arch === "x64" ? false : "x64 only" }, () => {
    const calls: Call[] = [
      ["open", BAD, O.WRONLY],
      ["creat", BAD],
      ["unlink", BAD],
      ["rename", BAD],
      ["mkdir", BAD],
      ["fork"],
      ["vfork"],
    ];
    assert.deepEqual(filter.call(...calls), ["EROFS", "EROFS", "EROFS", "EROFS", "EROFS", "EPERM", "EPERM"]);
  });

  test("but not the relatives that programs need", () => {
    const answers = filter.call(
      ["openat", -1, BAD, 0o2000000],
      ["prlimit64", 0, 7, 0, BAD],
      ["tgkill", 2 ** 30, 2 ** 30, 23],
    );
    assert.deepEqual(answers, ["EFAULT", "EFAULT", "ESRCH"]);
  });

  test("what a program tries: a file is not made, changed or removed", { skip: noPython }, (t) => {
    const dir = tempDir(t);
    writeFileSync(join(dir, "old"), "1");
    const script = `
import os, socket, subprocess
def attempt(f, *a):
    try: f(*a); print("done")
    except OSError as e: print(e.strerror)
attempt(open, "new", "w"); attempt(open, "old", "a"); attempt(os.remove, "old"); attempt(os.rename, "old", "new")
attempt(socket.socket); attempt(os.fork); attempt(subprocess.run, ["true"]); attempt(os.kill, os.getppid(), 0)
print(open("old").read(), os.listdir())`;
    const { stdout, stderr } = filter.run(python, ["-c", script], { cwd: dir });
    const [rofs, perm] = ["Read-only file system", "Operation not permitted"];
    assert.deepEqual(stdout.trim().split("\n"), [rofs, rofs, rofs, rofs, perm, perm, perm, perm, "1 ['old']"], stderr);
    assert.ok(!existsSync(join(dir, "new")));
  });

  test("a pipeline of a shell", () => {
    const { code, stderr } = filter.run("bash", ["--norc", "-c", "echo a | cat"]);
    assert.notEqual(code, 0);
    assert.match(stderr, /fork: .*Operation not permitted/);
  });

  test("SIGABRT to itself: abort(3) ends all the same", (t) => {
    const dir = tempDir(t);
    program(dir, "a.c", "#include <stdlib.h>\nint main(void) { abort(); }");
    assert.equal(spawnSync("cc", ["-o", "a", "a.c"], { cwd: dir }).status, 0);
    assert.ok(["SIGSEGV", "SIGTRAP"].includes(filter.run(join(dir, "a")).signal ?? ""));
  });
});

describe("actions", () => {
  const CALL: Call = ["getppid"];
  const own = (action: unknown): UnderFilter => new UnderFilter({ rules: [{ syscalls: [CALL[0]], action }] });

  test("kill, errno, log and allow", { skip: filter.unavailable }, () => {
    assert.deepEqual(own("kill").call(["getpid"], CALL).slice(1), ["SIGSYS"]);
    assert.deepEqual(own({ errno: "EXDEV" }).call(CALL), ["EXDEV"]);
    assert.equal(own("log").call(CALL)[0], process.pid);
    assert.equal(own("allow").call(CALL)[0], process.pid);
  });
});
