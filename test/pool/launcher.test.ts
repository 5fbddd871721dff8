// The native launcher thread, seen from outside.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { ARENA_SIZE } from "#pidpool/native/region.js";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { ProcessPool } from "../helpers/pool.ts";

function blockedMasks(): bigint[] {
  return readdirSync("/proc/self/task").map((task) => {
    const status = readFileSync(`/proc/self/task/${task}/status`, "latin1");
    return BigInt(`0x${/SigBlk:\s*([0-9a-f]+)/.exec(status)?.[1]}`);
  });
}

test("the launcher blocks signals, but neither libc's own nor SIGCHLD, which would wake the main thread at each exit", async () => {
  await using pool = new ProcessPool({ threads: 1 });
  await pool.run("true");
  // Nobody can block SIGKILL (9) and SIGSTOP (19).
  const open = [9, 17, 19, 32, 33, 34].reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n);
  assert.equal(blockedMasks().filter((mask) => mask === 2n ** 64n - 1n - open).length, 1);
});
test("specs that wrap around the arena, and specs larger than its share, arrive whole", async () => {
  await using pool = new ProcessPool({ threads: 1, concurrency: 256, env: { PATH: process.env["PATH"] } });
  const long = "x".repeat(60_000);
  const runs = Array.from({ length: 256 }, (_, i) => pool.run("echo", [`${i}`, long]));
  for (const [i, run] of runs.entries()) assert.equal((await run).stdout, `${i} ${long}\n`);
  // 256 specs of 60 kB did not fit at once; a spec of a quarter arena gets memory of its own.
  const words = Array.from({ length: 12 }, () => "y".repeat(Math.floor(ARENA_SIZE / 40)));
  const { stdout } = await pool.run("echo", words);
  assert.equal(stdout, `${words.join(" ")}\n`);
});

test("launches beyond the room of the arena wait, and are no retries", async () => {
  await using pool = new ProcessPool({ threads: 1, concurrency: 2000 });
  const filler = "z".repeat(20_000);
  await Promise.all(Array.from({ length: 600 }, () => pool.run("true", [filler], { stdio: "ignore" })));
  const { completed, retried } = pool.stats();
  assert.deepEqual([completed, retried], [600, 0]);
  assert.equal(supervisorsOf(pool)?.all[0]?.launcher.pending, 0);
});
