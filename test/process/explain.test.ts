// The words for every kind of end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, type CgroupUsage, type ExitReport } from "pidpool";
import { exitMessage } from "#pidpool/process/explain.js";
import { REASONS } from "#pidpool/process/report.js";
import { facts } from "../helpers/reports.ts";
import { ProcessPool } from "../helpers/pool.ts";

const MIB = 2 ** 20;
const ran = { wallMs: 1500, userMs: 900, systemMs: 100 } as const;
const exited = { ...facts(ran), status: "exited", code: 3 } as const;
const killed = { ...facts({ ...ran, reason: "signal" }), status: "signaled", coreDumped: false, core: null } as const;
const counted: CgroupUsage = {
  oom: 1,
  oomKills: 2,
  memoryPeak: 64 * MIB,
  pidsMet: 0,
  pidsPeak: 3,
  userMs: 1000,
  systemMs: 1000,
  throttledMs: 0,
};

const table: [string, ExitReport, string[]][] = [
  ["an exit code", exited, ["exited with code 3", "  ran 1.50 s, CPU 1.00 s"]],
  [
    "the last line of stderr",
    { ...exited, stderrTail: "first\nlast \n\n" },
    ["exited with code 3: last", "  ran 1.50 s, CPU 1.00 s"],
  ],
  [
    "a progress bar, whose lines end otherwise",
    { ...exited, stderrTail: "10 %\r20 %\rboom\n" },
    ["exited with code 3: boom", "  ran 1.50 s, CPU 1.00 s"],
  ],
  [
    "its own message comes first",
    { ...exited, message: "cannot bind\nport 80", stderrTail: "trace\n" },
    ["exited with code 3: cannot bind port 80", "  ran 1.50 s, CPU 1.00 s", "  stderr: trace"],
  ],
  [
    "a message that stderr has, too, is said once",
    { ...exited, message: "no", stderrTail: "no\n" },
    ["exited with code 3: no", "  ran 1.50 s, CPU 1.00 s"],
  ],
  [
    "a crash whose core was found",
    {
      ...killed,
      signal: "SIGSEGV",
      coreDumped: true,
      core: { to: "file", where: "/tmp/core", as: null },
      maxRss: 1.5 * MIB,
    },
    [
      "was killed by SIGSEGV (an invalid access to memory; core dumped)",
      "  ran 1.50 s, CPU 1.00 s, peak memory 1.5 MiB",
      "  its core dump is /tmp/core",
    ],
  ],
  [
    "a core for a program",
    { ...killed, signal: "SIGABRT", coreDumped: true, core: { to: "program", where: "/bin/collect %P", as: "user" } },
    [
      "was killed by SIGABRT (it gave up by itself, as abort() and failed assertions do; core dumped)",
      "  ran 1.50 s, CPU 1.00 s",
      "  its core dump went to the program /bin/collect %P",
    ],
  ],
  [
    "a core for a socket",
    { ...killed, signal: "SIGBUS", coreDumped: true, core: { to: "socket", where: "/run/cores", as: "root" } },
    [
      "was killed by SIGBUS (an access to memory that is not there; core dumped)",
      "  ran 1.50 s, CPU 1.00 s",
      "  its core dump went to the socket /run/cores",
    ],
  ],
  [
    "a core that nobody found",
    { ...killed, signal: "SIGTRAP", coreDumped: true, core: { to: "file", where: null, as: null } },
    [
      "was killed by SIGTRAP (a trap or breakpoint; core dumped)",
      "  ran 1.50 s, CPU 1.00 s",
      "  its core dump was not found",
    ],
  ],
  [
    "a stranger",
    { ...killed, signal: "SIGKILL" },
    ["was killed by SIGKILL (sent by a stranger or the kernel)", "  ran 1.50 s, CPU 1.00 s"],
  ],
  [
    "kill()",
    { ...killed, signal: "SIGINT", stopped: { by: "kill", signal: "SIGINT", escalated: false } },
    ["was killed by SIGINT (sent by kill())", "  kill() sent SIGINT; ran 1.50 s, CPU 1.00 s"],
  ],
  [
    "another signal than kill() sent",
    { ...killed, signal: "SIGSEGV", stopped: { by: "kill", signal: "SIGUSR1", escalated: false } },
    ["was killed by SIGSEGV (an invalid access to memory)", "  kill() sent SIGUSR1; ran 1.50 s, CPU 1.00 s"],
  ],
  [
    "a timeout that was obeyed",
    { ...exited, reason: "timeout", stopped: { by: "timeout", signal: "SIGTERM", escalated: false } },
    ["timed out after 1500 ms (exited with code 3)", "  the pool sent SIGTERM; ran 1.50 s, CPU 1.00 s"],
  ],
  [
    "a timeout that was not",
    {
      ...killed,
      signal: "SIGKILL",
      reason: "timeout",
      stopped: { by: "timeout", signal: "SIGTERM", escalated: true },
    },
    [
      "timed out after 1500 ms (was killed by SIGKILL)",
      "  the pool sent SIGTERM, and SIGKILL when that did not end it; ran 1.50 s, CPU 1.00 s",
    ],
  ],
  [
    "too much output",
    {
      ...killed,
      signal: "SIGTERM",
      reason: "output-limit",
      stopped: { by: "output-limit", signal: "SIGTERM", escalated: false },
      limit: { name: "maxOutput", value: 2048, fd: 1 },
    },
    [
      "wrote more than maxOutput allows and was ended (was killed by SIGTERM)",
      "  the pool sent SIGTERM; maxOutput is 2 KiB (fd 1); ran 1.50 s, CPU 1.00 s",
    ],
  ],
  [
    "more output than there is memory for",
    {
      ...killed,
      signal: "SIGTERM",
      reason: "output-limit",
      stopped: { by: "output-limit", signal: "SIGTERM", escalated: false },
    },
    [
      "wrote more than there is memory for and was ended (was killed by SIGTERM)",
      "  the pool sent SIGTERM; ran 1.50 s, CPU 1.00 s",
    ],
  ],
  [
    "CPU time",
    { ...killed, signal: "SIGXCPU", reason: "cpu-limit", limit: { name: "cpuSeconds", value: 1 } },
    [
      "used more CPU time than limits.cpuSeconds allows (was killed by SIGXCPU)",
      "  limits.cpuSeconds is 1 s; ran 1.50 s, CPU 1.00 s",
    ],
  ],
  [
    "memory of the whole group",
    {
      ...killed,
      signal: "SIGKILL",
      reason: "memory-limit",
      limit: { name: "memory", value: 64 * MIB },
      cgroup: counted,
      maxRss: MIB,
    },
    [
      "used more memory than limits.memory allows (was killed by SIGKILL)",
      "  limits.memory is 64 MiB; ran 1.50 s, CPU 2.00 s, peak memory 64 MiB, 2 OOM kills",
    ],
  ],
  [
    "forks",
    {
      ...exited,
      reason: "pids-limit",
      limit: { name: "pids", value: 5 },
      cgroup: { ...counted, oomKills: 0, pidsMet: 1, memoryPeak: null },
    },
    ["met limits.pids and failed (exited with code 3)", "  limits.pids is 5; ran 1.50 s, CPU 2.00 s, 1 fork refused"],
  ],
  [
    "a stolen status",
    { ...facts({ reason: "unknown", wallMs: 3.14 }), status: "unknown" },
    ["ended, but other code in this process took its exit status (waitpid(-1), or SIGCHLD is ignored)", "  ran 3.1 ms"],
  ],
];

for (const [name, report, lines] of table) {
  test(name, () => assert.equal(explain(report), `process 1 ${lines.join("\n")}`));
}

test("every reason has words, and none of them an undefined figure", () => {
  for (const reason of REASONS) {
    for (const report of [
      { ...exited, reason },
      { ...killed, signal: "SIGTERM", reason },
    ] as const) {
      const text = explain(report, { file: "x" });
      assert.match(text, /^"x" [a-z].*\n {2}ran /);
      assert.doesNotMatch(text, /undefined|null|NaN/);
    }
  }
});

test("the program and its arguments are named, where they are given", () => {
  assert.match(explain(exited, { file: "git" }), /^"git" exited/);
  assert.match(explain(exited, { file: "git", args: ["log", "--max=3", "a b"] }), /^"git" log --max=3 "a b" exited/);
  assert.match(explain(exited, { file: "git", args: ["x".repeat(1000)] }), /^"git" x{79}… exited/);
});

test("lines that are too long are cut where the news is", () => {
  const report = { ...exited, stderrTail: `${"x".repeat(1000)}end` };
  const [first = ""] = explain(report).split("\n");
  assert.match(first, /: x{197}end$/);
});

test("what a program says neither commands a terminal nor is cut within a character", () => {
  const firstLine = (more: object, args: readonly string[] = []): string =>
    explain({ ...exited, ...more }, { file: "x", args }).split("\n")[0] ?? "";
  const command = "\u001b]0;title\u0007";
  assert.equal(
    firstLine({ stderrTail: `ok\n\u001b[1;31merror:${command} no\u0000 \u009b2J\u001b[0m\n\u001b[0m` }),
    '"x" exited with code 3: error: no\ufffd',
  );
  assert.equal(firstLine({}, ["\u009b2J", "\u0085"]).includes("\u009b"), false);
  for (const text of ["😀".repeat(200), `a${"😀".repeat(200)}`, `${"😀".repeat(200)}b`, `a${"😀".repeat(200)}b`]) {
    for (const line of [firstLine({ stderrTail: text }), firstLine({ message: text }), firstLine({}, [text])])
      assert.doesNotMatch(line, /\p{Surrogate}/u);
  }
});

test("the path of a core dump, which the child's name may be in, commands no terminal and begins no line", () => {
  const where = "/tmp/a\u001b[2J\n  \u202egpj.exe/core";
  const report = { ...killed, signal: "SIGSEGV", core: { to: "file", where, as: null } } as const;
  assert.match(explain(report), /\n {2}its core dump is \/tmp\/a\ufffd\[2J \ufffdgpj\.exe\/core$/);
});

test("long words take no time that grows with their square", () => {
  const spaces = " ".repeat(200_000);
  // What does takes minutes for this, and the test its time limit.
  assert.equal(
    explain({ ...exited, message: `a${spaces}\n${spaces}b` }).split("\n")[0],
    "process 1 exited with code 3: a b",
  );
});

test("the child itself may say which program it was", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("true", ["now"]);
  assert.match(explain(await child.exited, child), /^"true" now exited with code 0\n/);
});

test("times and sizes of every order", () => {
  const shown = (wallMs: number, maxRss: number): string =>
    explain({ ...facts({ wallMs, maxRss }), status: "exited", code: 0 }).split("\n")[1] ?? "";
  assert.deepEqual(
    [shown(0.04, 512), shown(45.4, 2048), shown(59_940, 3 * 2 ** 30), shown(600_000, 2 ** 40), shown(9e6, 2 ** 50)],
    [
      "  ran 0.0 ms, peak memory 512 bytes",
      "  ran 45 ms, peak memory 2 KiB",
      "  ran 59.9 s, peak memory 3 GiB",
      "  ran 10 min, peak memory 1 TiB",
      "  ran 2.5 h, peak memory 1024 TiB",
    ],
  );
});

test("an error's message names no arguments, and takes a last line that the report has not", () => {
  assert.equal(exitMessage("sh", exited, "a\nb\n"), '"sh" exited with code 3: b\n  ran 1.50 s, CPU 1.00 s');
});
