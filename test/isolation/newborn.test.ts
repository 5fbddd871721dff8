// A child between clone and exec has this process's memory and fds. Its
// siblings, in the same user namespace already, must not get at them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { native } from "#pidpool/native/load.js";
import { ProcessPool, type Isolation } from "pidpool";
import { compile } from "../helpers/compile.ts";

const newborn = compile("newborn");

/** Whether a child finds our memory, in that of siblings that are launched meanwhile. */
async function finds(isolation: Isolation, ms: number): Promise<boolean> {
  if (newborn.unavailable !== false) throw new Error(newborn.unavailable);
  const secret = Buffer.from("a secret of us\0");
  const address = native().addressOf(secret);
  await using pool = new ProcessPool({ isolation, concurrency: 8 });
  // Each directory is one more execve that fails: it takes a while until the program is found.
  const slow = pool.command("true", [], { env: { PATH: `${"/nowhere:".repeat(3000)}${process.env["PATH"]}` } });
  const attack = { over: false };
  const run = pool.run(newborn.file, [`${address}`, `${ms}`, `${process.pid}`]).finally(() => (attack.over = true));
  while (!attack.over) await Promise.all(Array.from({ length: 4 }, () => slow.run()));
  const { stdout } = await run;
  // It must be alive until now.
  assert.equal(secret.length, 15);
  return stdout.includes("found");
}

test("the memory of this process is not open to children, through siblings that are just being launched", async (t) => {
  if (newborn.unavailable !== false) return t.skip(newborn.unavailable);
  assert.equal(await finds("none", 20_000), true, "the attack itself does not work");
  for (const isolation of ["shared", "contained", { capabilities: ["CAP_KILL"], user: "shared" }] as const) {
    assert.equal(await finds(isolation, 1000), false, JSON.stringify(isolation));
  }
});
