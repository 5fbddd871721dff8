import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFixture } from "../helpers/fixture.ts";
import { tempDir } from "../helpers/files.ts";
import { refusal } from "../helpers/isolation.ts";
import { isAlive, until } from "../helpers/processes.ts";
import { said } from "../helpers/wait.ts";
import { ProcessPool } from "../helpers/pool.ts";

const fixture = fileURLToPath(new URL("../fixtures/orphans.js", import.meta.url));

/** Kills a process that has a child for each of these options; then the children's pids. */
async function orphans(options: readonly object[]): Promise<number[]> {
  await using pool = new ProcessPool({ isolation: "none" });
  const parent = await pool.spawn(process.execPath, [fixture, ...options.map((each) => JSON.stringify(each))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pids = (await said(parent.stdout, "\n")).trim().split(" ").map(Number);
  assert.deepEqual(
    pids.map(isAlive),
    options.map(() => true),
  );
  parent.kill("SIGKILL");
  await parent.exited;
  return pids;
}

test('children die with this process, by default and with orphans: "kill"; with "keep" they live on', async () => {
  const [byDefault = 0, kill = 0, session = 0, keep = 0] = await orphans([
    {},
    { orphans: "kill" },
    { session: true },
    { orphans: "keep" },
  ]);
  await until(() => ![byDefault, kill, session].some(isAlive));
  assert.equal(isAlive(keep), true);
  process.kill(keep, "SIGKILL");
});

test("children of another uid die with this process, too", async (t) => {
  if (process.geteuid?.() !== 0) return t.skip("needs root");
  const pids = await orphans([{ uid: 65534 }, { uid: 65534, gid: 65534, groups: [65534] }]);
  await until(() => !pids.some(isAlive));
});

for (const isolation of ["none", "shared", "private"] as const) {
  for (const uid of [undefined, 65534]) {
    const text = JSON.stringify({ isolation, uid });
    test(`a child that is held up before its exec dies with this process: ${text}`, async (t) => {
      if (uid !== undefined && process.geteuid?.() !== 0) return t.skip("needs root");
      const refused = await refusal(isolation, uid === undefined ? {} : { uid });
      if (refused !== false) return t.skip(refused);
      const fifo = join(tempDir(t), "fifo");
      execFileSync("mkfifo", [fifo]);
      const host = startFixture("held-up", [fifo, text]);
      const pid = Number(await host.line());
      assert.equal(isAlive(pid), true);
      host.process.kill("SIGKILL");
      await until(() => !isAlive(pid));
    });
  }
}
