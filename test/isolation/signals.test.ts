// Whom a child can signal, find or trace: by pid, by process group, and the guardian.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessPool, type Isolation } from "pidpool";
import { ATTEMPTS } from "../helpers/attempts.ts";
import { startFixture } from "../helpers/fixture.ts";
import { guardianPids, hasCommands, isAlive } from "../helpers/processes.ts";
import { said } from "../helpers/wait.ts";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

/** What the shell in a child says of a signal 0 to this process. */
async function reach(isolation: Isolation): Promise<string> {
  await using pool = new ProcessPool({ isolation });
  const script = `kill -0 ${process.pid} 2>&1 && echo reached`;
  return (await pool.run("bash", ["-c", script], { check: false, env: { ...process.env, LC_ALL: "C" } })).stdout;
}

test(
  "this process: unseen from another pid namespace; reached by its own user from the host's",
  { skip: refused },
  async () => {
    for (const isolation of ["none", "shared", "private"] as const) assert.equal(await reach(isolation), "reached\n");
    for (const isolation of ["contained", { pid: "private" }] as const)
      assert.match(await reach(isolation), /No such process/);
  },
);

test(
  "a process group that is shared with this process is no way out of a pid namespace",
  { skip: refused },
  async () => {
    for (const [isolation, dies] of [
      ["none", true],
      ["contained", false],
      [{ pid: "private" }, false],
    ] as const) {
      const fixture = startFixture("group", [JSON.stringify(isolation)], ["setsid", "--wait"]);
      const { code, stdout, stderr } = await fixture.ended;
      assert.equal(stdout.includes("alive"), !dies, `${JSON.stringify(isolation)}: ${code} ${stdout} ${stderr}`);
    }
  },
);

const ATTACK = `${ATTEMPTS}def raw(*args):
    return libc.syscall(*[ctypes.c_long(a) for a in args])
pid = int(sys.argv[1])
buffer = ctypes.create_string_buffer(64)
iov = (ctypes.c_long * 2)(ctypes.addressof(buffer), 8)
PTRACE_SEIZE, PROCESS_VM_READV = 0x4206, int(sys.argv[2])
attempt("SIGSTOP", lambda: os.kill(pid, signal.SIGSTOP))
attempt("seize", lambda: libc.ptrace(PTRACE_SEIZE, pid, 0, 0))
attempt("readv", lambda: raw(PROCESS_VM_READV, pid, ctypes.addressof(iov), 1, ctypes.addressof(iov), 1, 0))
attempt("mem", lambda: os.close(os.open("/proc/%d/mem" % pid, os.O_RDWR)))
attempt("fd", lambda: len(os.readlink("/proc/%d/fd/0" % pid)))
attempt("root", lambda: len(os.listdir("/proc/%d/root" % pid)))
attempt("ns", lambda: os.close(os.open("/proc/%d/ns/net" % pid, os.O_RDONLY)))
import resource
attempt("cpu", lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0)) and None)
attempt("SIGKILL", lambda: os.kill(pid, signal.SIGKILL))
`;
const READV = process.arch === "arm64" ? "270" : "310";

test(
  "the guardian cannot be stopped, killed, traced or read from inside, and lives on",
  { skip: refused },
  async (t) => {
    if (!hasCommands("python3")) return t.skip("python3 is not installed");
    for (const isolation of [
      { pid: "shared", mount: true },
      { pid: "private", mount: true },
    ] as const) {
      await using pool = new ProcessPool({ isolation });
      const witness = await pool.spawn("sleep", ["1000"], { stdio: "ignore" });
      const { stdout } = await pool.run("python3", ["-c", ATTACK, "1", READV]);
      for (const what of ["seize", "readv", "mem", "fd", "root", "ns"])
        assert.match(stdout, new RegExp(`^${what} (Permission denied|Operation not permitted)$`, "m"), stdout);
      assert.ok(isAlive(witness.pid));
      assert.ok(guardianPids().filter(isAlive).length > 0);
      assert.equal((await pool.run("echo", ["on"])).stdout, "on\n");
    }
  },
);

test("this process can be neither traced nor read, at any level but none", { skip: refused }, async (t) => {
  if (!hasCommands("python3")) return t.skip("python3 is not installed");
  await using pool = new ProcessPool();
  const victim = startFixture("waits");
  t.after(() => victim.process.kill("SIGKILL"));
  await victim.line();
  const pid = `${victim.process.pid}`;
  const harmless = ATTACK.replaceAll(/^attempt\("(SIG|cpu|seize).*$/gm, "");
  const none = await pool.run("python3", ["-c", harmless, pid, READV], { isolation: "none" });
  assert.match(none.stdout, /^mem done$/m, none.stdout);
  for (const isolation of ["shared", "contained", "private", { pid: "private" }] as const) {
    const { stdout } = await pool.run("python3", ["-c", harmless, pid, READV], { isolation });
    for (const what of ["readv", "mem", "fd", "root", "ns"])
      assert.match(stdout, new RegExp(`^${what} (Permission|Operation|No such)`, "m"), stdout);
  }
});

test("siblings: all of one pid namespace reach each other, those of their own none", { skip: refused }, async () => {
  await using pool = new ProcessPool();
  for (const [isolation, reached] of [
    ["contained", true],
    [{ pid: "private" }, false],
  ] as const) {
    const victim = await pool.spawn("sh", ["-c", "echo up; read line; echo $line"], {
      isolation,
      stdio: ["pipe", "pipe", "ignore"],
    });
    await said(victim.stdout, "up");
    await pool.run("bash", ["-c", "kill -KILL -1"], { isolation, check: false });
    // To one that has been killed, the write may fail.
    victim.stdin.on("error", () => {}).end("spared\n");
    if (!reached) await said(victim.stdout, "spared");
    const report = await victim.exited;
    if (reached) assert.equal(report.status === "signaled" && report.signal, "SIGKILL");
    else assert.equal(report.status === "exited" && report.code, 0);
  }
});
