// Hosts under load that are killed, whose children have cgroups with limits, on
// a machine that has the controllers. HOST_KILLS=100 asks for more of them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { killWithoutFile, noCgroups } from "../helpers/cgroups.ts";
import { outsideVm } from "../helpers/vm.ts";

const KILLS = Number(process.env["HOST_KILLS"] ?? 12);
/** In each test, which has a time limit. */
const PART = 12;
const LEVELS = ["cgroup", "cgroup-contained", "mixed"].flatMap((name) => ["--level", name]);
const skip = outsideVm || noCgroups || killWithoutFile;

for (let n = 0; n * PART < KILLS; n++) {
  test(`of a host with cgroups that is killed at any moment nothing is left (${n + 1})`, { skip }, (t) => {
    const available = readFileSync("/sys/fs/cgroup/cgroup.controllers", "latin1").trim().split(" ");
    assert.ok(available.includes("memory") && available.includes("pids"), String(available));
    const main = fileURLToPath(new URL("../kills/main.js", import.meta.url));
    const kills = Math.min(PART, KILLS - n * PART);
    const args = ["--kills", `${kills}`, "--seed", `${20261126 + n}`, "--slowness", "10", ...LEVELS];
    const user = n % 3 === 2 ? ["--nobody"] : [];
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--enable-source-maps", main, ...args, ...user], {
      encoding: "utf8",
    });
    for (const line of stdout.trim().split("\n")) t.diagnostic(line);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`^all: ${kills} kills, [1-9]\\d* processes .* 0 failed$`, "m"));
  });
}
