// What single keys do: names, clocks, queues, the loopback interface, capabilities.
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { ProcessPool } from "pidpool";
import { refusal, statusOf } from "../helpers/isolation.ts";
import { hasCommands } from "../helpers/processes.ts";

const refused = await refusal("shared");

test("hostname: the child's own, and this process keeps its", { skip: refused }, async () => {
  await using pool = new ProcessPool();
  const before = hostname();
  const longest = "x".repeat(64);
  for (const name of ["inside", longest]) {
    const { stdout } = await pool.run("uname", ["-n"], { isolation: { hostname: name } });
    assert.equal(stdout, `${name}\n`);
  }
  assert.equal(hostname(), before);
});

test(
  "loopback: 127.0.0.1 and ::1 answer in a network namespace of its own, if it is asked for",
  { skip: refused },
  async (t) => {
    if (!hasCommands("python3")) return t.skip("python3 is not installed");
    await using pool = new ProcessPool();
    const script = `import socket
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    try:
        server = socket.socket(family)
        server.bind((address, 0))
        server.listen()
        socket.create_connection(server.getsockname()[:2]).close()
        print("yes")
    except OSError:
        print("no")`;
    const said = async (loopback: boolean): Promise<string> =>
      (await pool.run("python3", ["-c", script], { isolation: { network: "private", loopback } })).stdout;
    assert.equal(await said(true), "yes\nyes\n");
    assert.equal(await said(false), "no\nno\n");
  },
);

test("ipc: System V queues of the host are not there", { skip: refused }, async (t) => {
  if (!hasCommands("ipcmk", "ipcrm", "ipcs")) return t.skip("ipcmk is not installed");
  await using pool = new ProcessPool({ isolation: { ipc: true } });
  const made = await pool.run("ipcmk", ["-Q"], { isolation: "none" });
  const id = /\d+/.exec(made.stdout)?.[0] ?? "";
  t.after(async () => {
    await using none = new ProcessPool({ isolation: "none" });
    await none.run("ipcrm", ["-q", id]);
  });
  assert.equal((await pool.run("ipcs", ["-q", "-i", id], { isolation: "none" })).exit.reason, "exit");
  const { stdout, stderr } = await pool.run("ipcs", ["-q"]);
  assert.doesNotMatch(stdout + stderr, /0x[0-9a-f]{8}/);
});

test("cgroup: its own cgroup looks like the root", async (t) => {
  const why = await refusal({ cgroup: true });
  if (why !== false) return t.skip(why);
  await using pool = new ProcessPool({ isolation: { cgroup: true } });
  const { stdout } = await pool.run("cat", ["/proc/self/cgroup"]);
  for (const line of stdout.trim().split("\n")) assert.match(line, /:\/$/);
});

test("time: clocks of its own", async (t) => {
  const why = await refusal({ time: true });
  if (why !== false) return t.skip(why);
  await using pool = new ProcessPool({ isolation: { time: true } });
  const { stdout } = await pool.run("cat", ["/proc/self/timens_offsets"]);
  assert.match(stdout, /^monotonic\s+0\s+0\nboottime\s+0\s+0\n$/);
});

const NET_BIND = "0000000000000400";
const NONE = "0".repeat(16);

for (const noNewPrivileges of [true, false]) {
  test(
    `capabilities: those that are named, over exec and its children, and no others (noNewPrivileges: ${noNewPrivileges})`,
    { skip: refused },
    async () => {
      await using pool = new ProcessPool();
      const isolation = { network: "private", capabilities: ["CAP_NET_BIND_SERVICE"], noNewPrivileges } as const;
      const status = await statusOf(pool, { isolation });
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) assert.equal(status.get(set), NET_BIND, set);
      assert.equal(status.get("NoNewPrivs"), noNewPrivileges ? "1" : "0");
      if (!noNewPrivileges) assert.equal(status.get("CapBnd"), NET_BIND);
      const deep = await pool.run("sh", ["-c", "sh -c 'grep CapEff /proc/self/status; true'; true"], { isolation });
      assert.equal(deep.stdout, `CapEff:\t${NET_BIND}\n`);
      const none = await statusOf(pool, { isolation: { network: "private", noNewPrivileges } });
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) assert.equal(none.get(set), NONE, set);
    },
  );
}

test("capabilities: kept by another user, too", { skip: refused }, async (t) => {
  if (process.getuid?.() !== 0) return t.skip("needs root");
  await using pool = new ProcessPool();
  for (const user of ["host", "shared", "private"] as const) {
    const isolation = { user, capabilities: ["CAP_NET_BIND_SERVICE"] } as const;
    const status = await statusOf(pool, { isolation, uid: 65534, gid: 65534 });
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) assert.equal(status.get(set), NET_BIND, set);
    assert.match(status.get("Uid") ?? "", /^65534\t65534/);
  }
});

test('user: "host" with a list of capabilities: root has no others', async (t) => {
  if (process.getuid?.() !== 0) return t.skip("needs root");
  await using pool = new ProcessPool();
  for (const noNewPrivileges of [true, false]) {
    const status = await statusOf(pool, { isolation: { user: "host", capabilities: [], noNewPrivileges } });
    assert.equal(status.get("CapEff"), NONE);
    assert.equal(status.get("CapPrm"), NONE);
  }
});
