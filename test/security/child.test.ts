// A hostile child against this process and its user: what each level stops, and
// what it does not. A line of docs/security.md that says "open" is shown to be.
import assert from "node:assert/strict";
import { chmodSync, chownSync, closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { ProcessPool, type Isolation, type RunOptions } from "pidpool";
import { ATTEMPTS } from "../helpers/attempts.ts";
import { tempDir } from "../helpers/files.ts";
import { test } from "../helpers/isolated.ts";
import { refusal } from "../helpers/isolation.ts";
import { hasCommands } from "../helpers/processes.ts";

const LEVELS = ["none", "shared", "contained", "private"] as const;
type Level = (typeof LEVELS)[number];
type Outcome = "open" | "shut";

const root = process.getuid?.() === 0;
const skip = !hasCommands("python3") && "python3 is not installed";
const KEYCTL = process.arch === "arm64" ? "219" : "250";

const pool = new ProcessPool({ cwd: "/" });
after(() => pool.destroy());

/** Harmless: each looks, or sets what is set already. */
const ATTACK = `${ATTEMPTS}import resource
def raw(*args):
    return libc.syscall(*[ctypes.c_long(a) for a in args])
pid = int(sys.argv[1])
def opens(path):
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
def reads(name):
    open("/proc/%d/%s" % (pid, name)).read()
limit = resource.RLIMIT_MSGQUEUE
attempt("limits", lambda: resource.prlimit(pid, limit, resource.prlimit(pid, limit)) and None)
attempt("affinity", lambda: os.sched_setaffinity(pid, os.sched_getaffinity(pid)))
attempt("oom", lambda: opens("/proc/%d/oom_score_adj" % pid))
attempt("command", lambda: reads("cmdline"))
attempt("environment", lambda: reads("environ"))
attempt("maps", lambda: reads("maps"))
attempt("descriptor", lambda: raw(438, os.pidfd_open(pid), 0, 0))
attempt("settings", lambda: opens("/proc/sys/kernel/core_pattern"))
attempt("passwords", lambda: opens("/etc/shadow"))
attempt("keyring", lambda: raw(int(sys.argv[2]), 0, -3, 0))
`;

async function attack(isolation: Isolation, options: RunOptions = {}): Promise<Map<string, Outcome>> {
  const args = ["-c", ATTACK, `${process.pid}`, KEYCTL];
  const { stdout } = await pool.run("python3", args, { ...options, isolation, stdio: "capture", encoding: "utf8" });
  return new Map(
    stdout
      .trim()
      .split("\n")
      .map((line): [string, Outcome] => {
        const [name = "", ...rest] = line.split(" ");
        return [name, rest.join(" ") === "done" ? "open" : "shut"];
      }),
  );
}

const made = new Map<string, Promise<Map<string, Outcome>>>();

async function outcome(what: string, isolation: Isolation, options?: RunOptions): Promise<Outcome | undefined> {
  const key = JSON.stringify([isolation, options]);
  let attempt = made.get(key);
  if (attempt === undefined) made.set(key, (attempt = attack(isolation, options)));
  return (await attempt).get(what);
}

/** In the order of the levels. */
async function holds(what: string, ...expected: readonly Outcome[]): Promise<void> {
  const found: Partial<Record<Level, Outcome | undefined>> = {};
  await Promise.all(LEVELS.map(async (level) => (found[level] = await outcome(what, level))));
  assert.deepEqual(found, Object.fromEntries(LEVELS.map((level, i) => [level, expected[i]])), what);
}

const OWN_PROC = { pid: "private", mount: { proc: true } } as const;
const OTHER = root ? { uid: 65534, gid: 65534 } : undefined;
const READABLE = ["/usr", "/bin", "/lib", "/lib64"] as const;

test(
  "this process's limits can be changed by its own user's children, unless they are in another pid namespace",
  {
    skip,
  },
  async () => {
    await holds("limits", "open", "open", "shut", "open");
    if (OTHER !== undefined) assert.equal(await outcome("limits", "shared", OTHER), "shut");
  },
);

test("so can the processors that it runs on, where it has no more capabilities than they", { skip }, async () => {
  const mine = root ? "shut" : "open";
  await holds("affinity", "open", mine, "shut", mine);
});

test(
  "its user's children can make it the first to die for want of memory, unless they have a /proc of their own",
  {
    skip,
  },
  async () => {
    await holds("oom", "open", "open", "open", "open");
    assert.equal(await outcome("oom", OWN_PROC), "shut");
    if (OTHER !== undefined) assert.equal(await outcome("oom", "contained", OTHER), "shut");
  },
);

test("its command line is everybody's to read who has no /proc of his own", { skip }, async () => {
  await holds("command", "open", "open", "open", "open");
  assert.equal(await outcome("command", OWN_PROC), "shut");
});

test("its environment, memory map and fds are no child's, but under none", { skip }, async () => {
  for (const what of ["environment", "maps", "descriptor"]) await holds(what, "open", "shut", "shut", "shut");
});

test(
  "root's children own root's files and the host's settings, at every level, without any capability",
  {
    skip: skip || (!root && "needs root"),
  },
  async () => {
    for (const what of ["settings", "passwords"]) {
      await holds(what, "open", "open", "open", "open");
      // What helps is another user, or what keeps files away.
      for (const isolation of ["none", "shared", "contained"] as const)
        assert.equal(await outcome(what, isolation, OTHER), "shut", isolation);
      const filesystem = { execute: READABLE, readOnly: ["/etc", "/proc"] };
      assert.equal(await outcome(what, "contained", { filesystem }), "shut");
      assert.equal(await outcome(what, { pid: "private", mount: { readOnly: ["/"] } }), "shut");
    }
  },
);

test(
  "capabilities over files and users that root's child keeps are rights over the host's, in whatever user namespace",
  {
    skip: skip || (!root && "needs root"),
  },
  async (t) => {
    const dir = tempDir(t);
    chmodSync(dir, 0o755);
    const secret = join(dir, "secret");
    writeFileSync(secret, "root's", { mode: 0o600 });
    const script = `import os, sys
if sys.argv[2] == "CAP_SETUID":
    os.setresuid(0, 0, 0)
if sys.argv[2] == "CAP_CHOWN":
    os.chown(sys.argv[1], 65534, -1)
print(open(sys.argv[1]).read())`;
    for (const user of ["shared", "private"] as const) {
      for (const capability of ["CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_CHOWN", "CAP_NET_RAW"] as const) {
        const isolation = { user, capabilities: [capability] };
        const { stdout } = await pool.run("python3", ["-c", script, secret, capability], {
          isolation,
          ...OTHER,
          check: false,
        });
        assert.equal(stdout.includes("root's"), capability !== "CAP_NET_RAW", `${user} ${capability}`);
        chownSync(secret, 0, 0);
      }
    }
  },
);

test("keys of this process's session keyring are its children's, unless seccomp refuses them", { skip }, async (t) => {
  if ((await outcome("keyring", "none")) === "shut") return t.skip("this machine refuses keyrings");
  await holds("keyring", "open", "open", "open", "open");
  return assert.equal(await outcome("keyring", "shared", { seccomp: "default" }), "shut");
});

test("the environment of this process is its children's by default", async () => {
  process.env["PIDPOOL_TEST_SECRET"] = "secret";
  try {
    const script = "echo $PIDPOOL_TEST_SECRET";
    for (const isolation of LEVELS) {
      assert.equal((await pool.run("sh", ["-c", script], { isolation })).stdout, "secret\n");
      const { stdout } = await pool.run("sh", ["-c", script], { isolation, env: { PATH: process.env["PATH"] } });
      assert.equal(stdout, "\n");
    }
  } finally {
    delete process.env["PIDPOOL_TEST_SECRET"];
  }
});

test("an inherited fd has one state for all: what a child sets, this process has", { skip }, async () => {
  const set = "import fcntl; fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | 0o4000)";
  const flags = (fd: number): number =>
    Number.parseInt(/^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "", 8);
  const fd = openSync("/dev/null", "r");
  try {
    assert.equal(flags(fd) & 0o4000, 0);
    await pool.run("python3", ["-c", set], { stdio: [fd, "ignore", "inherit"] });
    assert.equal(flags(fd) & 0o4000, 0o4000);
  } finally {
    closeSync(fd);
  }
});

test("rules for TCP ports see neither UDP nor MPTCP", { skip }, async (t) => {
  const refused = await refusal("none", { tcp: {} });
  if (refused !== false) return t.skip(refused);
  const script = `${ATTEMPTS}
def bound(*kind):
    socket.socket(socket.AF_INET, *kind).bind(("127.0.0.1", 0))
attempt("tcp", lambda: bound(socket.SOCK_STREAM))
attempt("udp", lambda: bound(socket.SOCK_DGRAM))
attempt("mptcp", lambda: bound(socket.SOCK_STREAM, 262))`;
  const said = async (options: RunOptions): Promise<string> =>
    (await pool.run("python3", ["-c", script], { ...options, isolation: "none", stdio: "capture", encoding: "utf8" }))
      .stdout;
  const free = await said({});
  const ruled = await said({ tcp: { bind: [], connect: [] } });
  assert.match(free, /^tcp done\nudp done\n/);
  // MPTCP is what it is on this machine without rules.
  return assert.equal(ruled, free.replace("tcp done", "tcp Permission denied"));
});
