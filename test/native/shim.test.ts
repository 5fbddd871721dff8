// The C code under strict warnings, sanitizers and a short fuzz: parts of
// `npm run check:shim`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** A virtual machine has no sources of its own. */
const skip = existsSync(`${root}/scripts/check-shim.mjs`) ? false : "needs a checkout";

function check(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/check-shim.mjs", ...args], {
    cwd: root,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

for (const [name, part, ...more] of [
  ["the shim and the guardian compile without a strict warning, and gcc's analyzer finds nothing", "warnings"],
  ["every feature and failing stage of a launch passes under sanitizers", "driver"],
  [
    "a launcher told of something as it goes to sleep does not sleep through it, and other inputs of the fuzzer",
    "replay",
  ],
  ["the shim holds for some seconds of fuzzing", "fuzz", "--seconds", "4"],
] as const) {
  test(name, { skip: skip || (part === "driver" && refused) }, (t) => {
    const said = check(part, "--quick", ...more);
    if (said.startsWith("skipped")) t.skip(said.trim());
    else assert.match(said, new RegExp(`^ok: ${part}`));
  });
}

test("a part that is none is named, with those that there are", { skip }, () => {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/check-shim.mjs", "none"], {
    cwd: root,
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(stderr, /^there is no part "none"; there are warnings, analyze, /);
});
