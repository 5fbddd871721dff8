// The profile "default" on real programs and real system calls.
import assert from "node:assert/strict";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { NUMBERS } from "#pidpool/process/seccomp/numbers.js";
import { program, tempDir } from "../../helpers/files.ts";
import { arch, missing, UnderFilter, type Call } from "../../helpers/under-filter.ts";

const filter = new UnderFilter("default");
const CLONE_NEWNS = 0x20000;
const CLONE_FILES = 0x400;
const CLONE_NEWUSER = 0x10000000;
const SIGCHLD = 17;

describe("programs run under the profile default", { skip: filter.unavailable }, () => {
  const shell = (script: string, cwd: string): string => {
    const { code, signal, stdout, stderr } = filter.run("bash", ["-euc", script], { cwd });
    assert.equal(code, 0, `${signal} ${stderr}${stdout}`);
    return stdout.trim();
  };
  const cases: [file: string, script: string, output: RegExp][] = [
    ["bash", 'cd /; x=$(echo a | cat | tr a b); (exit 3) || echo $? $x; sleep 0 & wait; mkfifo "$OLDPWD/f"', /^3 b$/],
    [
      "git",
      `git init -q . && git config user.email a@b && git config user.name c && echo 1 > f && git add f &&
       git commit -qm one && git clone -q . copy && git -C copy log --format=%s && git gc -q && git fsck`,
      /^one/,
    ],
    [
      "gcc",
      `printf '#include <stdio.h>\\nint main(void) { puts("hello"); }' > a.c && gcc -O2 -pipe -o a a.c && ./a`,
      /^hello$/,
    ],
    [
      "python3",
      `python3 -c '
import subprocess, threading, multiprocessing, socket, tempfile, os, sqlite3
from concurrent.futures import ProcessPoolExecutor
print(subprocess.run(["echo", "sub"], capture_output=True, text=True).stdout.strip())
t = threading.Thread(target=print, args=("thread",)); t.start(); t.join()
with ProcessPoolExecutor(2) as pool: print(list(pool.map(abs, [-1, -2])))
s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname()); s.accept()
print(socket.getaddrinfo("127.0.0.1", 80)[0][4][1], len(socket.if_nameindex()) > 0)
with tempfile.TemporaryFile() as f: f.write(b"x")
print(sqlite3.connect(":memory:").execute("select 1+1").fetchone())
'`,
      /^sub\nthread\n\[1, 2\]\n80 True\n\(2,\)$/,
    ],
    [
      "node",
      `node -e '
const { Worker } = require("node:worker_threads"), fs = require("node:fs"), os = require("node:os");
new Worker("console.log(1)", { eval: true }).on("exit", () => {
  console.log(String(require("node:child_process").execFileSync("echo", ["child"])).trim());
  console.log(Object.keys(os.networkInterfaces()).length > 0);
  fs.promises.writeFile("n", "x").then(() => fs.promises.readFile("n", "utf8")).then(console.log);
  const server = require("node:net").createServer((s) => s.end()).listen(0, () =>
    require("node:net").connect(server.address().port).on("close", () => server.close()).resume());
});'`,
      /^1\nchild\ntrue\nx$/,
    ],
    [
      "tar",
      "mkdir d && echo 1 > d/f && ln -s f d/l && tar -czpf d.tgz d && rm -r d && tar -xzpf d.tgz && cat d/l",
      /^1$/,
    ],
    [
      "sqlite3",
      `sqlite3 a.db 'pragma journal_mode=wal; create table t(x); insert into t values (7); select x from t'`,
      /^wal\n7$/,
    ],
    [
      "perl",
      `perl -e 'my $p = fork // die; if (!$p) { exit 0 } waitpid $p, 0; print "$?\\n"; print getpwuid(0) . "\\n"'`,
      /^0\nroot$/,
    ],
    [
      "ffmpeg",
      "ffmpeg -v error -f lavfi -i testsrc=duration=0.2:size=64x64 -threads 2 -y a.avi && wc -c < a.avi",
      /^\d{3}/,
    ],
    ["make", "printf 'all: a b\\na b:\\n\\t@echo $@\\n' > Makefile && make -j2 | sort", /^a\nb$/],
    ["curl", "echo yes > f && curl -s file://$PWD/f", /^yes$/],
    ["openssl", "openssl genrsa 1024 2>/dev/null | openssl rsa -noout -check", /ok/],
    ["timeout", "timeout 5 nice -n 1 setsid -w sha256sum /dev/null | cut -c1-8", /^e3b0c442$/],
  ];
  for (const [file, script, output] of cases) {
    test(file, { skip: missing(file) }, (t) => assert.match(shell(script, tempDir(t)), output));
  }

  test("a program puts a filter of its own on top", () => {
    const own = new UnderFilter({ profile: "default", rules: [{ syscalls: ["getppid"], action: { errno: "EXDEV" } }] });
    const [launcher, ...args] = own.command;
    const { stdout, stderr } = filter.run(launcher, [...args, "call", String(NUMBERS[arch].get("getppid"))]);
    assert.equal(stdout, `-${constants.errno.EXDEV}\n`, stderr);
  });

  test("threads, where clone3 is said not to exist", (t) => {
    const dir = tempDir(t);
    program(
      dir,
      "a.c",
      `#include <pthread.h>
       static void *f(void *x) { return x; }
       int main(void) { pthread_t t; return pthread_create(&t, 0, f, 0) || pthread_join(t, 0); }`,
    );
    shell("cc -pthread -o a a.c && ./a", dir);
  });
});

describe("the profile default refuses", { skip: filter.unavailable }, () => {
  const BAD = 1; // an address that is not mapped, or an fd that will not do
  const cases: [what: string, answer: string, calls: Call[]][] = [
    [
      "tracing",
      "EPERM",
      [
        ["ptrace", 0],
        ["process_vm_readv", 1],
        ["process_vm_writev", 1],
        ["kcmp", 1, 1],
        ["pidfd_getfd", -1],
      ],
    ],
    [
      "mounting",
      "EPERM",
      [
        ["mount", BAD, BAD],
        ["umount2", BAD],
        ["pivot_root", BAD, BAD],
        ["chroot", BAD],
        ["fsopen", BAD],
        ["open_tree", -1, BAD],
        ["move_mount", -1],
        ["mount_setattr", -1],
        ["fsmount", -1],
      ],
    ],
    [
      "modules and kernels",
      "EPERM",
      [
        ["init_module", BAD],
        ["finit_module", -1],
        ["delete_module", BAD],
        ["kexec_load", 0, 0, 0, -1],
        ["bpf", -1],
      ],
    ],
    [
      "keyrings",
      "EPERM",
      [
        ["add_key", BAD],
        ["request_key", BAD],
        ["keyctl", -1],
      ],
    ],
    [
      "namespaces",
      "EPERM",
      [
        ["unshare", CLONE_NEWUSER],
        ["unshare", CLONE_NEWNS | CLONE_FILES],
        ["unshare", 0x80],
        ["clone", CLONE_NEWUSER | SIGCHLD],
        ["clone", CLONE_NEWNS | SIGCHLD],
        ["setns", -1, CLONE_NEWUSER],
      ],
    ],
    [
      "interfaces with holes",
      "EPERM",
      [
        ["userfaultfd", -1],
        ["io_uring_setup", 1, BAD],
        ["io_uring_enter", -1],
        ["io_uring_register", -1],
        ["perf_event_open", BAD],
        ["fanotify_init", -1],
      ],
    ],
    ["files by handle", "EPERM", [["open_by_handle_at", -1, BAD]]],
    [
      "the machine's state",
      "EPERM",
      [
        ["reboot", 0],
        ["swapon", BAD],
        ["swapoff", BAD],
        ["acct", BAD],
        ["sethostname", BAD, -1],
        ["syslog", -1],
        ["quotactl", -1, BAD],
      ],
    ],
    [
      "the clock",
      "EPERM",
      [
        ["settimeofday", BAD],
        ["clock_settime", -1],
        ["adjtimex", BAD],
        ["clock_adjtime", -1],
      ],
    ],
    [
      "devices",
      "EPERM",
      [
        ["mknodat", -1, BAD, 0o020666],
        ["mknodat", -1, BAD, 0o060666],
      ],
    ],
    [
      "input into terminals",
      "EPERM",
      [
        ["ioctl", -1, 0x5412, BAD],
        ["ioctl", -1, 0x541c],
        ["ioctl", -1, 2 ** 32 + 0x5412],
      ],
    ],
    [
      "personalities without protections",
      "EPERM",
      [
        ["personality", 0x0040000],
        ["personality", 0x0400000],
      ],
    ],
    ["PR_SET_MM", "EPERM", [["prctl", 35, 1]]],
    [
      "rare socket families",
      "EAFNOSUPPORT",
      [
        ["socket", 17, 3],
        ["socket", 40, 1],
        ["socket", 38, 5],
        ["socketpair", 30, 1, 0, BAD],
      ],
    ],
    [
      "rare netlink families",
      "EPROTONOSUPPORT",
      [
        ["socket", 16, 3, 12],
        ["socket", 16, 3, 9],
      ],
    ],
    ["clone3 and what is younger than the tables", "ENOSYS", [["clone3", 0, 0], ["471"], ["600"]]],
  ];
  for (const [what, answer, calls] of cases) {
    test(what, () =>
      assert.deepEqual(
        filter.call(...calls),
        calls.map(() => answer),
      ),
    );
  }

  test("x32 calls", { skip: arch === "x64" ? false : "x64 only" }, () => {
    assert.deepEqual(filter.call([String(0x40000000 + 39)]), ["ENOSYS"]);
  });

  test("programs by the 32-bit ABI: SIGSYS", { skip: arch === "x64" ? missing("gcc") : "x64 only" }, (t) => {
    const dir = tempDir(t);
    program(dir, "a.c", 'int main(void) { long r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(20)); return 0; }');
    assert.equal(filter.run("gcc", ["-o", "a", "a.c"], { cwd: dir }).code, 0);
    assert.equal(filter.run(join(dir, "a")).signal, "SIGSYS");
  });

  test("but not the relatives that programs need", (t) => {
    const CALL: Call = ["unshare", CLONE_FILES];
    const [outside] = new UnderFilter({ default: "allow" }).call(CALL);
    if (outside !== 0) return t.skip(`unshare(CLONE_FILES) is answered with ${outside} here without a filter of ours`);
    const answers = filter.call(
      ["unshare", CLONE_FILES],
      ["personality", 0xffffffff],
      ["socket", 16, 3, 0],
      ["mknodat", -1, BAD, 0o010600],
      ["ioctl", -1, 0x5401, BAD],
      ["prctl", 3],
    );
    assert.deepEqual(answers, [0, 0, answers[2], "EFAULT", "EBADF", 1]);
    assert.equal(typeof answers[2], "number");
  });
});
