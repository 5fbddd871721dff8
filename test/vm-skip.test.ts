// Where `npm run test:vm` can get no virtual machine.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { tempDir } from "./helpers/files.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

test("test:vm succeeds where it has no VM, and says that it skips and why", (t) => {
  const checkout = tempDir(t);
  cpSync(join(root, "scripts/vm"), join(checkout, "scripts/vm"), { recursive: true });
  mkdirSync(join(checkout, "build/test/vm"), { recursive: true });
  writeFileSync(join(checkout, "build/test/vm/some.test.js"), "");
  const run = (...args: string[]): [number | null, string] => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/vm/main.mjs", ...args], {
      cwd: checkout,
      env: { PATH: checkout },
      encoding: "utf8",
    });
    return [status, stdout + stderr];
  };
  const { arch } = process;
  assert.deepEqual(run(), [0, `# vm ${arch}: skipped: this machine has no apt-get\n`]);
  assert.deepEqual(run("none-such"), [1, "no test file matches none-such\n"]);
  assert.deepEqual(run("--kernel", "4.19"), [1, "there is no kernel 4.19; there are 5.10, 6.1, 6.12 and all\n"]);
  assert.deepEqual(run("--arch", "mips"), [1, "there is no architecture mips; there are x64, arm64 and all\n"]);
  assert.deepEqual(run("--run", "true", "vm/"), [1, "--run takes the place of tests\n"]);
});
