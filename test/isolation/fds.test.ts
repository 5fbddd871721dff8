// A child holds fds 0 to 2 and no other, whatever this process has open.
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { ProcessPool } from "pidpool";
import { dup2 } from "../helpers/libc.ts";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

test("fds of this process, low, high and inheritable, are not the child's", { skip: refused }, async (t) => {
  const secret = openSync("/proc/self/status", "r");
  const spread = [...Array.from({ length: 8 }, (_, i) => 40 + i), 63, 64, 65, 200, 900];
  const free = spread.filter((fd) => {
    try {
      closeSync(openSync(`/proc/self/fd/${fd}`, "r"));
      return false;
    } catch {
      return true;
    }
  });
  for (const fd of free) dup2(secret, fd);
  t.after(() => [secret, ...free].forEach((fd) => closeSync(fd)));
  await using pool = new ProcessPool();
  for (const isolation of ["none", "shared", "contained", "private", { pid: "private", mount: true }] as const) {
    for (const loopback of [false, typeof isolation === "object"]) {
      const chosen = loopback ? { ...(isolation as object), network: "private" as const, loopback } : isolation;
      const { stdout } = await pool.run("bash", ["-c", "echo /proc/self/fd/*"], { isolation: chosen });
      // One more is the directory that the shell reads.
      assert.equal(stdout, "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n", JSON.stringify(chosen));
    }
  }
});
