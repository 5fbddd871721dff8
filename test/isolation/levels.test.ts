// Each level: which namespaces a child is in, whose they are, and what rights it has left.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hasCommands } from "../helpers/processes.ts";
import { ProcessPool, type Isolation } from "pidpool";
import { differences, namespacesTogether, ownNamespaces, refusal, statusOf, type Kind } from "../helpers/isolation.ts";

const refused = await refusal("shared");

interface Level {
  readonly isolation: Isolation;
  /** Namespaces that are not the parent's. */
  readonly others: readonly Kind[];
  /** Those of them that children of one pool share. */
  readonly common: readonly Kind[];
}

const LEVELS: readonly Level[] = [
  { isolation: "none", others: [], common: [] },
  { isolation: "shared", others: ["user", "net"], common: ["user", "net"] },
  { isolation: "contained", others: ["user", "net", "pid"], common: ["user", "net", "pid"] },
  { isolation: "private", others: ["user", "net"], common: [] },
  { isolation: {}, others: [], common: [] },
  { isolation: { user: "shared" }, others: ["user"], common: ["user"] },
  { isolation: { user: "private" }, others: ["user"], common: [] },
  { isolation: { network: "shared" }, others: ["user", "net"], common: ["user", "net"] },
  { isolation: { network: "private" }, others: ["user", "net"], common: ["user"] },
  { isolation: { pid: "shared" }, others: ["user", "pid"], common: ["user", "pid"] },
  { isolation: { pid: "private" }, others: ["user", "pid"], common: [] },
  { isolation: { mount: true }, others: ["user", "mnt"], common: ["user"] },
  { isolation: { ipc: true }, others: ["user", "ipc"], common: ["user"] },
  { isolation: { uts: true }, others: ["user", "uts"], common: ["user"] },
  { isolation: { cgroup: true }, others: ["user", "cgroup"], common: ["user"] },
  { isolation: { time: true }, others: ["user", "time"], common: ["user"] },
  { isolation: { user: "host", pid: "private" }, others: ["pid"], common: [] },
  { isolation: { user: "host", network: "private" }, others: ["net"], common: [] },
  {
    isolation: { user: "private", network: "private", mount: true, ipc: true },
    others: ["user", "net", "mnt", "ipc"],
    common: [],
  },
  { isolation: { pid: "private", network: "private", mount: true }, others: ["user", "net", "pid", "mnt"], common: [] },
  {
    isolation: { pid: "shared", network: "private", uts: true },
    others: ["user", "net", "pid", "uts"],
    common: ["user", "pid"],
  },
];

for (const { isolation, others, common } of LEVELS) {
  test(`${JSON.stringify(isolation)}: not the parent's ${others.join(", ") || "nothing"}; siblings share ${common.join(", ") || "none of them"}`, async (t) => {
    const why = await refusal(isolation);
    if (why !== false) return t.skip(why);
    await using pool = new ProcessPool({ isolation });
    await using another = new ProcessPool({ isolation });
    const [first, second, stranger] = await namespacesTogether(pool, pool, another);
    assert.ok(first !== undefined && second !== undefined && stranger !== undefined);
    assert.deepEqual(differences(first, ownNamespaces()), others);
    assert.deepEqual(
      differences(first, second),
      others.filter((kind) => !common.includes(kind)),
    );
    assert.deepEqual(differences(first, stranger), others);
  });
}

for (const isolation of ["shared", "contained", "private", { pid: "private" }] as const) {
  test(
    `${JSON.stringify(isolation)}: no capability is left, none can be won, and ids stay as they are`,
    { skip: refused },
    async () => {
      await using pool = new ProcessPool({ isolation });
      const status = await statusOf(pool);
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) assert.equal(status.get(set), "0".repeat(16), set);
      assert.equal(status.get("NoNewPrivs"), "1");
      const { stdout } = await pool.run("id", ["-u"]);
      assert.equal(stdout, `${process.getuid?.()}\n`);
      assert.equal((await pool.run("id", ["-g"])).stdout, `${process.getgid?.()}\n`);
    },
  );

  test(`${JSON.stringify(isolation)}: uid, gid and groups are those outside`, { skip: refused }, async (t) => {
    if (process.getuid?.() !== 0) return t.skip("needs root");
    await using pool = new ProcessPool({ isolation });
    const status = await statusOf(pool, { uid: 1234, gid: 2345, groups: [3456] });
    assert.equal(status.get("Uid"), "1234\t1234\t1234\t1234");
    assert.equal(status.get("Gid"), "2345\t2345\t2345\t2345");
    assert.equal(status.get("Groups")?.trim(), "3456");
    assert.equal(status.get("CapPrm"), "0".repeat(16));
  });
}

test('"none": rights and set-id programs are as child_process has them', async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const status = await statusOf(pool);
  const own = /^NoNewPrivs:\t(\d)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  assert.equal(status.get("NoNewPrivs"), own);
});

test("mapUid and mapGid: another id inside, the same one outside", { skip: refused }, async () => {
  await using pool = new ProcessPool({ isolation: { user: "private", mapUid: 0, mapGid: 0 } });
  assert.equal((await pool.run("id", ["-u"])).stdout, "0\n");
  assert.equal((await pool.run("id", ["-g"])).stdout, "0\n");
  const status = await statusOf(pool);
  assert.equal(status.get("CapEff"), "0".repeat(16));
  const script = "cat /proc/self/uid_map";
  const { stdout } = await pool.run("sh", ["-c", script]);
  assert.deepEqual(stdout.trim().split(/\s+/), ["0", `${process.getuid?.()}`, "1"]);
});

test("nice may be lowered with the rights of this process, at every level", { skip: refused }, async (t) => {
  if (process.getuid?.() !== 0) return t.skip("needs root");
  if (!hasCommands("nice")) return t.skip("nice is not installed");
  await using pool = new ProcessPool();
  for (const isolation of ["none", "shared", "contained", "private", { pid: "private" }] as const) {
    const { stdout } = await pool.run("nice", [], { isolation, nice: -5 });
    assert.equal(stdout, "-5\n", JSON.stringify(isolation));
  }
});
