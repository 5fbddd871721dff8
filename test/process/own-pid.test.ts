// Variables that hold the child's own pid, which it writes there between clone and exec.
import assert from "node:assert/strict";
import { test } from "node:test";
import { text } from "node:stream/consumers";
import type { Isolation, ProcessPool as Pool } from "pidpool";
import { spawnSpec } from "#pidpool/pool/pool.js";
import type { LaunchOptions } from "#pidpool/process/options.js";
import { resolveSpec } from "#pidpool/process/spec.js";
import { startFixture } from "../helpers/fixture.ts";
import { refusal } from "../helpers/isolation.ts";
import { spawnWith } from "../helpers/passed.ts";
import { ProcessPool } from "../helpers/pool.ts";

const PID = { name: "LISTEN_PID", value: undefined } as const;

interface Seen {
  /** What the shell has as $$, and what the kernel says of it in that pid namespace. */
  readonly own: number;
  readonly variable: string;
  /** As this process's /proc has it. */
  readonly pid: number;
}

async function look(pool: Pool, options: LaunchOptions = {}): Promise<Seen> {
  const child = await spawnWith(pool, [PID], "sh", ["-c", 'echo "$$ $LISTEN_PID"'], {
    ...options,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [own = "", variable = ""] = (await text(child.stdout as NodeJS.ReadableStream)).trim().split(" ");
  assert.equal((await child.exited).reason, "exit");
  return { own: Number(own), variable, pid: child.pid };
}

const LEVELS: readonly { isolation: Isolation; inside: boolean }[] = [
  { isolation: "none", inside: false },
  { isolation: "shared", inside: false },
  { isolation: "private", inside: false },
  { isolation: { user: "private" }, inside: false },
  { isolation: "contained", inside: true },
  { isolation: { pid: "shared" }, inside: true },
  { isolation: { pid: "private" }, inside: true },
  { isolation: { user: "host", pid: "private" }, inside: true },
];

for (const { isolation, inside } of LEVELS) {
  const whose = inside ? "that of its own pid namespace, not the host's" : "the host's";
  test(`${JSON.stringify(isolation)}: the pid is the program's own, ${whose}`, async (t) => {
    const refused = await refusal(isolation);
    if (refused !== false) return t.skip(refused);
    await using pool = new ProcessPool({ isolation });
    for (let i = 0; i < 3; i++) {
      const { own, variable, pid } = await look(pool, { isolation });
      assert.equal(variable, String(own));
      if (inside) assert.notEqual(own, pid);
      else assert.equal(own, pid);
    }
  });
}

test("launches in parallel get each their own", async () => {
  await using pool = new ProcessPool();
  const seen = await Promise.all(Array.from({ length: 200 }, () => look(pool)));
  for (const { own, variable, pid } of seen) assert.deepEqual([own, variable], [pid, String(pid)]);
  assert.equal(new Set(seen.map(({ pid }) => pid)).size, seen.length);
});

test(
  "one spec that is launched again and again has the pid of each launch",
  { skip: await refusal("shared") },
  async () => {
    await using pool = new ProcessPool();
    const options = { env: { LISTEN_PID: "1" }, stdio: ["ignore", "pipe", "inherit"] } as const;
    const spec = resolveSpec("spawn", "/usr/bin/env", [], options, {}, [PID]);
    const one = async (): Promise<void> => {
      const child = await spawnSpec(pool, spec);
      assert.equal(await text(child.stdout as NodeJS.ReadableStream), `LISTEN_PID=${child.pid}\n`);
    };
    for (let i = 0; i < 5; i++) await Promise.all([one(), one(), one()]);
  },
);

test("the variables replace those of the same names in env, and take out what they forbid", async () => {
  await using pool = new ProcessPool();
  const variables = [
    PID,
    { name: "LISTEN_FDS", value: "2" },
    { name: "WATCHDOG_PID", value: undefined },
    { name: "LISTEN_PIDFDID", value: null },
  ];
  const env = { LISTEN_PID: "1", LISTEN_FDS: "9", LISTEN_PIDFDID: "12345", KEPT: "yes" };
  const child = await spawnWith(pool, variables, "/usr/bin/env", [], { env, stdio: ["ignore", "pipe", "inherit"] });
  const lines = (await text(child.stdout as NodeJS.ReadableStream)).trim().split("\n");
  const { pid } = child;
  assert.deepEqual(lines, ["KEPT=yes", `LISTEN_PID=${pid}`, "LISTEN_FDS=2", `WATCHDOG_PID=${pid}`]);
});

test("they replace what a Node that is itself socket-activated has inherited", async () => {
  const inherited = ["env", "LISTEN_PID=77", "LISTEN_FDS=3", "LISTEN_FDNAMES=web:api:x", "LISTEN_PIDFDID=99"];
  const { stdout, code, stderr } = await startFixture("activated", [], inherited).ended;
  assert.equal(code, 0, stderr);
  const [pid = "", ...lines] = stdout.trim().split("\n");
  assert.deepEqual(lines.toSorted(), ["LISTEN_FDNAMES=mine", "LISTEN_FDS=1", `LISTEN_PID=${pid}`]);
});

test("a program that cannot be executed is reported as such", async () => {
  await using pool = new ProcessPool();
  await assert.rejects(spawnWith(pool, [PID], "/no/such/program", []), { code: "ERR_LAUNCH", stage: "execve" });
});
