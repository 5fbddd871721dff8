// Hosts under load that are killed, a few of them; `npm run test:kills` kills more.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { notNobody } from "../helpers/nobody.ts";
import { hasCommands } from "../helpers/processes.ts";

const noCompiler = !hasCommands("cc") && "needs cc";

for (const [who, args, skip] of [
  ["this user's", ["--kills", "14", "--longest", "600", "--seed", "20261124"], noCompiler],
  ["user nobody's", ["--kills", "8", "--longest", "600", "--seed", "20261125", "--nobody"], noCompiler || notNobody],
] as const) {
  test(`of a host that is killed at any moment nothing is left: ${who}`, { skip }, (t) => {
    const main = fileURLToPath(new URL("main.js", import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--enable-source-maps", main, ...args], {
      encoding: "utf8",
    });
    for (const line of stdout.trim().split("\n")) t.diagnostic(line);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`^all: ${args[1]} kills, [1-9]\\d* processes .* 0 failed$`, "m"));
  });
}
