// The example's ways end as their titles say; what this machine lacks is
// skipped with the reason.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ProcessPool } from "pidpool";
import { shown } from "../../examples/ten-ways-to-die/shown.js";
import { WAYS } from "../../examples/ten-ways-to-die/ways.js";

const REASON: Readonly<Record<string, string>> = {
  "exit-code": "exit",
  crash: "signal",
  stranger: "signal",
  timeout: "timeout",
  "timeout-ignored": "timeout",
  "output-limit": "output-limit",
  "cpu-limit": "cpu-limit",
  "memory-limit": "memory-limit",
  abort: "aborted",
  guardian: "guardian-died",
  "last-words": "exit",
  watchdog: "watchdog",
};

for (const way of WAYS) {
  const { name, title } = way;
  test(title, async (t) => {
    await using pool = new ProcessPool();
    const outcome = await way.go(pool).catch((error: unknown) => error as Error);
    if (outcome instanceof Error) return t.skip(outcome.message);
    assert.equal(outcome.exit.reason, REASON[name]);
    if (name === "last-words") assert.match(outcome.exit.message ?? "", /^the camera is gone: .* \(ENOENT\)$/);
    t.diagnostic(shown(outcome));
    return undefined;
  });
}

test("docs/exit-reports.md has a place for each", (t) => {
  const page = fileURLToPath(new URL("../../../docs/exit-reports.md", import.meta.url));
  // It is no part of what a virtual machine has.
  if (!existsSync(page)) return t.skip("docs are not here");
  const text = readFileSync(page, "utf8");
  for (const { name, title } of WAYS) {
    const from = text.indexOf(`<!-- way:${name} -->`);
    assert.ok(text.includes(`### ${title}\n`) && from > 0, name);
    const part = text.slice(from, text.indexOf("<!-- /way -->", from));
    assert.match(part, new RegExp(`reason: '${REASON[name]}'`), name);
  }
  return undefined;
});
