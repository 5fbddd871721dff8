// The judge's verdicts on submissions of every kind.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ISOLATION } from "../../examples/judge/limits.ts";
import { refusal } from "../helpers/isolation.ts";
import { hasCommands } from "../helpers/processes.ts";

const VERDICTS: Readonly<Record<string, string>> = {
  "asleep.py": "time limit",
  "broken.c": "does not compile",
  "crash.c": "crashed",
  "daemon.py": "accepted",
  "endless.py": "time limit",
  "hungry.py": "failed",
  "noisy.py": "output limit",
  "right.c": "accepted",
  "right.py": "accepted",
  "spy.py": "failed",
  "vandal.py": "failed",
  "wrong.py": "wrong answer",
};

test("the judge says of each submission what it did", async (t) => {
  if (!hasCommands("python3", "cc")) return t.skip("python3 or cc is not installed");
  const refused = await refusal(ISOLATION, { cwd: "/" });
  if (refused !== false) return t.skip(refused);
  const main = fileURLToPath(new URL("../../examples/judge/main.js", import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, [main], { encoding: "utf8", timeout: 100_000 });
  assert.equal(status, 0, stderr);
  const said = [...stdout.matchAll(/^(\S+) +(.+)$/gm)].map(([, name, verdict]) => [name, verdict]);
  assert.deepEqual(Object.fromEntries(said), VERDICTS);
  assert.match(stdout, /"spy.py" exited with code 1: OSError: .* unreachable/);
  return undefined;
});
