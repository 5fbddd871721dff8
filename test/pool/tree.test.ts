// Signals and ends that reach what a child has started.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Process, SpawnOptions } from "pidpool";
import { ProcessPool } from "../helpers/pool.ts";
import { isAlive, until } from "../helpers/processes.ts";
import { said } from "../helpers/wait.ts";

/** Three deep, each writes its pid; the middle one leads a session of its own if `away`. */
function script(away: boolean): string {
  const inner = "sh -c 'echo $$; exec sleep 1000'";
  const middle = `echo $$; ${inner} & wait`;
  return `echo $$; ${away ? "setsid " : ""}sh -c "${middle.replaceAll("$", "\\$")}" & wait`;
}

type Tree = { child: Process; pids: number[] };

async function tree(pool: ProcessPool, options: SpawnOptions, away = false): Promise<Tree> {
  const child = await pool.spawn("sh", ["-c", script(away)], { ...options, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  while (text.split("\n").length < 4) text += await said(child.stdout, "\n");
  const pids = text.trim().split("\n").map(Number);
  assert.equal(pids.length, 3);
  return { child: child as unknown as Process, pids };
}

async function allGone(pids: number[]): Promise<void> {
  await until(() => pids.every((pid) => !isAlive(pid)));
}

describe("kill({ tree: true })", () => {
  for (const away of [false, true]) {
    test(`ends descendants three deep, ${away ? "also in another session" : "in the same session"}`, async () => {
      await using pool = new ProcessPool({ isolation: "none" });
      const { child, pids } = await tree(pool, {}, away);
      assert.equal(child.kill("SIGKILL", { tree: true }), true);
      assert.equal((await child.exited).status, "signaled");
      await allGone(pids);
      assert.equal(child.kill("SIGKILL", { tree: true }), false);
    });
  }

  test("without it, they live on", async () => {
    await using pool = new ProcessPool({ isolation: "none" });
    const { child, pids } = await tree(pool, {});
    child.kill("SIGKILL");
    await child.exited;
    assert.deepEqual(pids.map(isAlive), [false, true, true]);
    for (const pid of pids.slice(1)) process.kill(pid, "SIGKILL");
  });

  test("passes other signals on", async () => {
    await using pool = new ProcessPool({ isolation: "none" });
    const { child, pids } = await tree(pool, {});
    child.kill("SIGTERM", { tree: true });
    const report = await child.exited;
    assert.equal(report.status === "signaled" && report.signal, "SIGTERM");
    await allGone(pids);
  });
});

test("a timeout takes the session along, groups of their own in it included", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  // Job control gives each job a group of its own.
  const job = "set -m; sleep 1000 & echo $!; wait";
  const child = await pool.spawn("bash", ["-c", job], {
    session: true,
    timeout: 300,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const grandchild = Number(await said(child.stdout, "\n"));
  const { reason } = await child.exited;
  assert.equal(reason, "timeout");
  await allGone([grandchild]);
});

test("so does the end of the pool", async () => {
  const pool = new ProcessPool({ isolation: "none" });
  const { pids } = await tree(pool, { session: true });
  await pool.destroy();
  await allGone(pids);
});

test("children that are ended together take along what each has started, and nobody else", async () => {
  await using other = new ProcessPool({ isolation: "none" });
  const stranger = await tree(other, { session: true });
  const pool = new ProcessPool({ isolation: "none", threads: 1 });
  const trees = await Promise.all(Array.from({ length: 8 }, () => tree(pool, { session: true })));
  await pool.destroy();
  await allGone(trees.flatMap(({ pids }) => pids));
  assert.deepEqual(stranger.pids.map(isAlive), [true, true, true]);
});

test("an ordinary end of the child leaves its session alone", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const { stdout } = await pool.run("sh", ["-c", "sleep 1000 >/dev/null & echo $!"], { session: true });
  const pid = Number(stdout);
  assert.ok(isAlive(pid));
  process.kill(pid, "SIGKILL");
});
