// Where core dumps go, under every kind of core_pattern: that is the machine's,
// so only a machine of our own may change it.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ProcessPool, type CoreDump } from "pidpool";
import { outsideVm } from "../helpers/vm.ts";

const set = (name: string, value: string): void => writeFileSync(`/proc/sys/kernel/${name}`, value);

async function crashed(pattern: string, usesPid = false): Promise<{ core: CoreDump | null; pid: number; cwd: string }> {
  set("core_pattern", pattern);
  set("core_uses_pid", usesPid ? "1" : "0");
  await using pool = new ProcessPool({ isolation: "none", check: false });
  const cwd = mkdtempSync(join(tmpdir(), "pidpool-"));
  const { exit } = await pool.run("sh", ["-c", "ulimit -c unlimited && kill -SEGV $$"], { cwd });
  assert.ok(
    exit.status === "signaled" && exit.coreDumped,
    `${exit.status} with ${pattern}: ${readdirSync(cwd).join()}`,
  );
  return { core: exit.core, pid: exit.pid, cwd };
}

describe("core dumps", { skip: outsideVm }, () => {
  test("files, whatever the pattern puts into their names", async () => {
    for (const pattern of ["core", "%e-%p-%s", "%P.%h", "c.%t.%u.%g", "%E"]) {
      const { core, cwd } = await crashed(pattern);
      const [name = ""] = readdirSync(cwd);
      assert.deepEqual([core?.to, core?.where], ["file", join(cwd, name)], pattern);
    }
    const { core, pid, cwd } = await crashed("core", true);
    assert.equal(core?.where, join(cwd, `core.${pid}`));
  });

  test("an absolute pattern", async () => {
    const dir = mkdtempSync(join(tmpdir(), "cores-"));
    const { core, pid } = await crashed(`${dir}/%h.%P`);
    assert.equal(core?.where, `${dir}/${hostname()}.${pid}`);
  });

  test("a program", async () => {
    const { core } = await crashed("|/bin/cat %P");
    assert.deepEqual([core?.to, core?.where], ["program", "/bin/cat %P"]);
  });
});
