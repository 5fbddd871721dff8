// What becomes of the patterns of core_pattern(5).
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { expandPattern, locateCore } from "#pidpool/process/core-dump.js";
import { facts } from "../helpers/reports.ts";

const dumped = { pid: 42, signal: 11 };

test("what cannot be found out changes nothing", async () => {
  const core = { to: null, where: null, as: "user" } as const;
  const report = { ...facts({ reason: "signal" }), status: "signaled", coreDumped: true, core } as const;
  const found = await locateCore({ ...report, signal: "no signal at all" }, core, "/no/such/directory");
  assert.deepEqual([found.where === null || found.to !== "file", found.as], [true, "user"]);
});

const table: [string, boolean, (string | null)[]][] = [
  ["core", false, ["core"]],
  ["core", true, ["core.", null]],
  ["core.%p", true, ["core.", null]],
  ["/var/cores/%h/core-%s", false, [`/var/cores/${hostname()}/core-11`]],
  ["%e.%P", false, [null, ".42"]],
  ["%e%t", false, [null]],
  ["100%%-%s%", false, ["100%-11"]],
  ["%Z", false, [null]],
  ["", true, [".", null]],
];

for (const [pattern, usesPid, expected] of table) {
  test(`${JSON.stringify(pattern)}${usesPid ? " with core_uses_pid" : ""}`, () =>
    assert.deepEqual(expandPattern(pattern, usesPid, dumped), expected));
}
