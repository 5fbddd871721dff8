// Every contestant of the benchmark that this machine has can do what the
// registry says it can; nothing is measured here.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compileChildren } from "../../bench/children.ts";
import { CONTESTANTS, available, type ContestantName } from "../../bench/contestants/registry.ts";
import { Runner } from "../../bench/runner/runner.ts";
import { KEEPERS } from "../../bench/scenarios/restarts.ts";
import { StartLog } from "../../bench/scenarios/start-log.ts";

const children = compileChildren();
const BYTES = 300_000;
const ONCE = { milliseconds: 0, least: 1, most: 60_000, inFlight: 1 };

for (const name of Object.keys(CONTESTANTS) as ContestantName[]) {
  const entry = CONTESTANTS[name];
  const skip = "missing" in entry && entry.missing;
  test(`${name} runs, holds, captures and feeds as far as it can`, { skip }, async () => {
    const runner = new Runner(name);
    try {
      if (can(name, "run")) {
        const many = { ...ONCE, file: children.nop, inFlight: 64, least: 500, delay: false };
        assert.ok((await runner.ask("churn", many)).launches >= 500);
        await assert.rejects(runner.ask("churn", { ...many, file: "/nonexistent" }));
      }
      if (can(name, "hold")) {
        assert.equal((await runner.ask("hold", { file: children.hold, count: 50, most: 60_000 })).launches, 50);
        assert.equal((await runner.ask("release", {})).launches, 50);
      }
      if (can(name, "capture")) {
        const order = { ...ONCE, file: children.emit, args: [`${BYTES}`] };
        assert.equal((await runner.ask("capture", order)).bytes, BYTES);
      }
      if (can(name, "feed")) {
        const order = { ...ONCE, file: children.swallow, args: [], bytes: BYTES };
        assert.ok((await runner.ask("feed", order)).launches >= 1);
      }
    } finally {
      await runner.close();
    }
  });
}

for (const name of KEEPERS) {
  const entry = CONTESTANTS[name];
  const skip = "missing" in entry && entry.missing;
  test(`${name} starts what it keeps again`, { skip }, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "pidpool-test-"));
    t.after(() => rmSync(directory, { recursive: true }));
    const log = new StartLog(join(directory, "log"));
    const runner = new Runner(name);
    try {
      await runner.ask("keep", { file: children.serve, args: [log.file], count: 3 });
      const first = await log.starts(0, 3);
      for (const { pid } of first) process.kill(pid, "SIGKILL");
      const second = await log.starts(3, 6);
      assert.equal(new Set([...first, ...second].map(({ pid }) => pid)).size, 6);
    } finally {
      await runner.close();
    }
  });
}

function can(name: ContestantName, method: "run" | "hold" | "capture" | "feed"): boolean {
  return available([name], method).present.length === 1;
}
