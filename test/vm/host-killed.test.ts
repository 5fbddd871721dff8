// Hosts under load are killed whose children have cgroups with limits, on a
// machine that has the controllers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { killWithoutFile, noCgroups } from "../helpers/cgroups.ts";
import { outsideVm } from "../helpers/vm.ts";
import { killSome } from "../kills/some.ts";

const LEVELS = ["cgroup", "cgroup-contained", "mixed"].flatMap((name) => ["--level", name]);
const skip = outsideVm || noCgroups || killWithoutFile;

test("of a host with cgroups that is killed at any moment nothing is left", { skip }, (t) => {
  const available = readFileSync("/sys/fs/cgroup/cgroup.controllers", "latin1").trim().split(" ");
  assert.ok(available.includes("memory") && available.includes("pids"), String(available));
  killSome(t, 6, 20261126, "--longest", "300", "--slowness", "5", ...LEVELS);
});
