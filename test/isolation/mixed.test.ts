// Launches of different isolation from one launcher, and what every launch can
// do, at every level: time out, be aborted, be killed, fail.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitError, LaunchError, ProcessPool, type Isolation } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { differences, namespacesOf, ownNamespaces, refusal, type Kind } from "../helpers/isolation.ts";
import { guardianPids, openFds, until } from "../helpers/processes.ts";
import { said } from "../helpers/wait.ts";

const refused = await refusal("shared");

const LEVELS: readonly (readonly [isolation: Isolation, others: readonly Kind[]])[] = [
  ["none", []],
  ["shared", ["user", "net"]],
  ["contained", ["user", "net", "pid"]],
  ["private", ["user", "net"]],
  [{ pid: "private", mount: true }, ["user", "pid", "mnt"]],
  [{ network: "private", uts: true }, ["user", "net", "uts"]],
];

for (const threads of [1, 2]) {
  test(
    `levels in turn and all at once, from ${threads} launchers: each child is where it was asked for`,
    { skip: refused },
    async () => {
      await using pool = new ProcessPool({ threads, concurrency: 12 });
      const check = async (i: number): Promise<void> => {
        const [isolation, others] = LEVELS[i % LEVELS.length] ?? ["none", []];
        assert.deepEqual(differences(await namespacesOf(pool, { isolation }), ownNamespaces()), others);
      };
      for (let i = 0; i < 18; i++) await check(i);
      await Promise.all(Array.from({ length: 90 }, (_, i) => check(i * 7 + (i >> 3))));
    },
  );
}

for (const [isolation] of LEVELS) {
  const name = JSON.stringify(isolation);

  test(`${name}: timeouts, aborts and signals end a child, and say so`, { skip: refused }, async () => {
    await using pool = new ProcessPool({ isolation });
    const late = (await rejection(pool.run("sleep", ["1000"], { timeout: 20 }), ExitError)).exit;
    // SIGKILL where it came before exec.
    const signal = late.stopped?.signal ?? "";
    assert.match(signal, /^SIG(TERM|KILL)$/);
    assert.deepEqual([late.reason, late.status === "signaled" && late.signal], ["timeout", signal]);
    const stop = new AbortController();
    const child = await pool.spawn("sh", ["-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done"], {
      stdio: ["ignore", "pipe", "ignore"],
      signal: stop.signal,
    });
    await said(child.stdout, "up");
    stop.abort();
    const exit = await child.exited;
    assert.deepEqual([exit.reason, exit.status === "exited" && exit.code], ["aborted", 5]);
    const command = pool.command("cat");
    assert.equal((await command.run({ input: "through" })).stdout, "through");
    const killed = await pool.spawn("sleep", ["1000"], { stdio: "ignore" });
    assert.equal(killed.kill("SIGUSR1"), true);
    const end = await killed.exited;
    assert.deepEqual([end.reason, end.status === "signaled" && end.signal], ["signal", "SIGUSR1"]);
    assert.equal(killed.kill(), false);
  });

  test(`${name}: a launch that fails says where, and leaves nothing`, { skip: refused }, async () => {
    await using pool = new ProcessPool({ isolation, threads: 1 });
    await pool.run("true");
    await rejection(pool.run("/no/such/program"), LaunchError);
    const before = openFds().length;
    const guardians = guardianPids().length;
    for (let i = 0; i < 10; i++) {
      const missing = await rejection(pool.run("/no/such/program"), LaunchError);
      assert.deepEqual([missing.stage, missing.errno], ["execve", "ENOENT"]);
      const nowhere = await rejection(pool.spawn("true", [], { cwd: "/no/such/directory" }), LaunchError);
      assert.deepEqual([nowhere.stage, nowhere.errno], ["chdir", "ENOENT"]);
    }
    await until(() => openFds().length <= before && guardianPids().length <= guardians);
    assert.equal((await pool.run("echo", ["on"])).stdout, "on\n");
  });
}
