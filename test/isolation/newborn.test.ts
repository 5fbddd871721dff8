// A child between clone and exec has this process's memory and fds. Its
// siblings, in the same user namespace already, must not get at them.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { native } from "#pidpool/native/load.js";
import { ProcessPool, type Isolation, type PoolOptions } from "pidpool";
import { compile } from "../helpers/compile.ts";
import { tempDir } from "../helpers/files.ts";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

const newborn = compile("newborn");

/** Each directory is one more execve that fails: it takes a while until the program is found. */
const SLOW = { PATH: `${"/nowhere:".repeat(3000)}${process.env["PATH"]}` };

/** Whether a child finds our memory, in that of siblings that are launched meanwhile. */
async function finds(isolation: Isolation, ms: number, options: PoolOptions = {}): Promise<boolean> {
  if (newborn.unavailable !== false) throw new Error(newborn.unavailable);
  const secret = Buffer.from("a secret of us\0");
  const address = native().addressOf(secret);
  await using pool = new ProcessPool({ isolation, concurrency: 16, ...options });
  const slow = pool.command("true", [], { env: SLOW });
  const attack = { over: false };
  const run = pool.run(newborn.file, [`${address}`, `${ms}`, `${process.pid}`]).finally(() => (attack.over = true));
  while (!attack.over) await Promise.all(Array.from({ length: 8 }, () => slow.run()));
  const { stdout } = await run;
  // It must be alive until now.
  assert.equal(secret.length, 15);
  return stdout.includes("found");
}

test(
  "the memory of this process is not open to children, through siblings that are just being launched",
  { skip: refused },
  async (t) => {
    if (newborn.unavailable !== false) return t.skip(newborn.unavailable);
    assert.equal(await finds("none", 20_000), true, "the attack itself does not work");
    for (const isolation of ["shared", "contained", { capabilities: ["CAP_KILL"], user: "shared" }] as const) {
      assert.equal(await finds(isolation, 1000), false, JSON.stringify(isolation));
    }
  },
);

test(
  "nor through siblings that become another user, from several launchers at a time",
  { skip: refused },
  async (t) => {
    if (newborn.unavailable !== false) return t.skip(newborn.unavailable);
    if (process.getuid?.() !== 0) return t.skip("needs root, to make children of another user");
    // The attacker is that user, too. What protects is that this process cannot be opened while any of them is on its way.
    const options = { uid: 65534, gid: 65534, cwd: "/", threads: 2 } as const;
    for (const isolation of ["none", "shared", "contained"] as const)
      assert.equal(await finds(isolation, 800, options), false, isolation);
  },
);

/** Launches in a shower of a signal that a sibling sends to all it can reach: how they ended, and where they ran. */
async function underSignals(pool: ProcessPool, signal: string, root: string): Promise<[string, string][]> {
  const attacker = await pool.spawn("bash", ["-c", `while :; do kill -${signal} -1; done`], { stdio: "ignore" });
  const ends: [string, string][] = [];
  for (let hits = 0; hits < 5 && ends.length < 1000;) {
    const launches = Array.from({ length: 8 }, async (_, i) => {
      const cwd = join(root, `${ends.length + i}`);
      mkdirSync(cwd);
      const { exit } = await pool.run("true", [], { env: SLOW, cwd, check: false });
      return [exit.status === "signaled" ? exit.signal : "exited", cwd] as [string, string];
    });
    ends.push(...(await Promise.all(launches)));
    hits = ends.filter(([end]) => end === "SIGKILL").length;
  }
  attacker.kill("SIGKILL");
  await attacker.exited;
  return ends;
}

test(
  "a signal that dumps core does not dump this process's memory from a child before its exec",
  { skip: refused },
  async (t) => {
    const secret = ["a secret", "of this process alone"].join(": ");
    const kept = Buffer.from(secret);
    await using pool = new ProcessPool({ isolation: "contained", concurrency: 16 });
    let core: number | undefined = Infinity;
    await pool.run("true", [], { limits: { core } }).catch(() => (core = undefined));
    await using dumping = new ProcessPool({ isolation: "contained", concurrency: 16, limits: { core } });
    const ends = await underSignals(dumping, "QUIT", tempDir(t));
    // What had not come to its exec was ended by SIGKILL, and dumps nothing; what had, may dump itself.
    assert.ok(
      ends.some(([end]) => end === "SIGKILL"),
      `of ${ends.length} none was hit before its exec`,
    );
    for (const [end, cwd] of ends) {
      const file = join(cwd, "core");
      if (end === "SIGKILL") assert.ok(!existsSync(file), file);
      if (existsSync(file)) assert.ok(!readFileSync(file).includes(kept), `${file} has this process's memory`);
    }
  },
);
