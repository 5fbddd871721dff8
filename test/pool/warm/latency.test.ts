// A job on a warm Node answers sooner than a cold one: the ratio, in one run.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "../../helpers/files.ts";
import { until } from "../../helpers/processes.ts";
import { ProcessPool } from "../../helpers/pool.ts";

const ROUNDS = 15;
/** A third of what the benchmark asks for: here other tests may run beside. */
const LEAST = 4;

/** Says on stderr that it is about to read, and answers with the length of what it was given. */
const PROGRAM = `
  const fs = require("node:fs");
  process.stderr.write(".");
  process.stdout.write(String(fs.readFileSync(0).length));
`;

function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[samples.length >> 1] ?? NaN;
}

test("a warm Node answers sooner than a cold one", async (t) => {
  const log = join(tempDir(t), "log");
  await using pool = new ProcessPool();
  const options = { stdio: [undefined, "capture", { file: log, append: true }] } as const;
  const command = pool.command(process.execPath, ["-e", PROGRAM], options);
  const warm = command.warm({ spares: 2 });
  let booted = 0;
  const timed = async (run: () => Promise<{ stdout: string }>): Promise<number> => {
    // Every process that was started so far has come to read.
    await warm.ready;
    await until(() => readFileSync(log).length === booted + 2);
    const start = performance.now();
    assert.equal((await run()).stdout, "3");
    booted++;
    return performance.now() - start;
  };
  const hot: number[] = [];
  const cold: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    hot.push(await timed(() => warm.run({ input: "abc" })));
    cold.push(await timed(() => command.run({ input: "abc" })));
  }
  const ratio = median(cold) / median(hot);
  t.diagnostic(`${median(cold).toFixed(1)} ms cold, ${median(hot).toFixed(1)} ms warm: ${ratio.toFixed(1)} times`);
  assert.ok(ratio >= LEAST, `${ratio}`);
});
