// A hostile child against other children of the pool.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "../helpers/isolated.ts";
import { ProcessPool, type Isolation, type Process, type RunOptions } from "pidpool";
import { ATTEMPTS } from "../helpers/attempts.ts";
import { guardianPids, hasCommands } from "../helpers/processes.ts";
import { said } from "../helpers/wait.ts";

const root = process.getuid?.() === 0;
const skip = !hasCommands("python3") && "python3 is not installed";

/** Tries to trace the process that it is told, or with 0 whatever it sees. */
const ATTACK = `${ATTEMPTS}
def seize_any():
    # In a pid namespace of the pool's the numbers are small.
    pids = [int(sys.argv[1])] if sys.argv[1] != "0" else range(2, 500)
    return max(libc.ptrace(0x4206, pid, 0, 0) for pid in pids if pid != os.getpid())
attempt("trace", seize_any)
`;

async function traces(pool: ProcessPool, isolation: Isolation, mine: RunOptions, theirs: RunOptions): Promise<boolean> {
  const victim = await pool.spawn("cat", [], { ...theirs, isolation, stdio: ["pipe", "ignore", "ignore"] });
  // In another pid namespace it has another pid: all that are seen there are children of the pool.
  const pid = isolation === "contained" || typeof isolation === "object" ? "0" : `${victim.pid}`;
  const { stdout } = await pool.run("python3", ["-c", ATTACK, pid], {
    ...mine,
    isolation,
    stdio: "capture",
    encoding: "utf8",
  });
  victim.kill("SIGKILL");
  await victim.exited;
  return stdout.includes("trace done");
}

test(
  "siblings trace each other, and so read all that they have, unless each has namespaces, a filter or a user of its own",
  {
    skip,
  },
  async () => {
    await using pool = new ProcessPool({ cwd: "/", concurrency: 16 });
    const plain = {};
    const one = { uid: 65534, gid: 65534 };
    const other = { uid: 65533, gid: 65533 };
    const filter = { seccomp: "default" } as const;
    const cases: [isolation: Isolation, mine: RunOptions, theirs: RunOptions, traced: boolean][] = [
      ["none", plain, plain, true],
      ["shared", plain, plain, true],
      ["contained", plain, plain, true],
      ["private", plain, plain, false],
      [{ pid: "private" }, plain, plain, false],
      ["shared", filter, plain, false],
    ];
    if (root) cases.push(["shared", one, one, true], ["shared", one, other, false]);
    for (const [isolation, mine, theirs, traced] of cases) {
      const found = await traces(pool, isolation, mine, theirs);
      assert.equal(found, traced, JSON.stringify([isolation, mine, theirs]));
    }
  },
);

/** Whether a child of another job has been killed by what the first job has left behind. */
async function killedByLeftovers(isolation: Isolation): Promise<boolean> {
  await using pool = new ProcessPool({ cwd: "/", isolation });
  const daemon = "setsid sh -c 'while :; do kill -KILL -1; sleep 0.01; done' </dev/null >/dev/null 2>&1 &";
  await pool.run("bash", ["-c", daemon]);
  const later = await pool.spawn("sh", ["-c", "echo up; read line"], { stdio: ["pipe", "pipe", "ignore"] });
  // It lives until it is told, or is killed.
  if (isolation !== "contained") {
    await said(later.stdout as AsyncIterable<Buffer>, "up");
    (later.stdin as NodeJS.WritableStream).end("\n");
  }
  const report = await later.exited;
  return report.status === "signaled" && report.signal === "SIGKILL";
}

test("what one job leaves behind attacks later ones under contained, and ends with its job in a pid namespace of its own", async () => {
  assert.equal(await killedByLeftovers("contained"), true);
  assert.equal(await killedByLeftovers({ pid: "private" }), false);
});

/** Whether a child can end the guardian of its siblings in the pool's pid namespace. */
async function endsGuardian(options: RunOptions): Promise<boolean> {
  await using pool = new ProcessPool({ cwd: "/" });
  pool.on("error", () => {});
  const witness: Process = await pool.spawn("sleep", ["1000"], { isolation: "contained", stdio: "ignore" });
  const pids = guardianPids().join(" ");
  const { exit } = await pool.run("bash", ["-c", `kill -KILL ${pids}`], { ...options, check: false });
  if (exit.status !== "exited" || exit.code !== 0) return false;
  return (await witness.exited).reason === "guardian-died";
}

test("a child outside of the pool's pid namespace ends its guardian, if it is of the same user", async () => {
  assert.equal(await endsGuardian({ isolation: "shared" }), true);
  assert.equal(await endsGuardian({ isolation: "contained" }), false);
  if (root) assert.equal(await endsGuardian({ isolation: "shared", uid: 65534, gid: 65534 }), false);
});

test(
  "siblings in the pool's network reach each other by abstract sockets; those with their own do not",
  {
    skip,
  },
  async () => {
    await using pool = new ProcessPool({ cwd: "/" });
    const serve = `import socket; s = socket.socket(socket.AF_UNIX); s.bind("\\0pidpool-test-${process.pid}"); s.listen(); print("up", flush=True); s.accept()`;
    const reach = `import socket; socket.socket(socket.AF_UNIX).connect("\\0pidpool-test-${process.pid}")`;
    for (const [isolation, reached] of [
      ["shared", true],
      ["contained", true],
      ["private", false],
    ] as const) {
      const server = await pool.spawn("python3", ["-c", serve], { isolation, stdio: ["ignore", "pipe", "ignore"] });
      await said(server.stdout, "up");
      const { exit } = await pool.run("python3", ["-c", reach], { isolation, check: false });
      assert.equal(exit.status === "exited" && exit.code === 0, reached, isolation);
      server.kill("SIGKILL");
      await server.exited;
    }
  },
);

test("one replica ends a standing socket for all, by shutdown(2)", { skip }, async () => {
  await using pool = new ProcessPool({ cwd: "/" });
  const script = `import os, socket, time
socket.socket(fileno=3).shutdown(socket.SHUT_RDWR)
os.write(4, b"\\n")
time.sleep(1000)`;
  const service = pool.service({
    name: "shared",
    file: "python3",
    args: ["-c", script],
    listen: [{ port: 0, host: "127.0.0.1" }],
    ready: { fd: 4 },
  });
  await service.ready;
  const [address] = service.addresses;
  assert.ok(address !== undefined && "port" in address);
  const socket = connect({ host: "127.0.0.1", port: address.port });
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
  await service.stop();
});
