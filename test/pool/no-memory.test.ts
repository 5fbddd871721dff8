// Memory for captured output that cannot be had: mremap(2) fails.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixturePath } from "../helpers/fixture.ts";
import { UnderFilter } from "../helpers/under-filter.ts";

const exhausted = new UnderFilter({ rules: [{ syscalls: ["mremap"], action: { errno: "ENOMEM" } }] });

test(
  "a child whose output finds no memory is ended, and what is said is not that it exceeded maxOutput",
  { skip: exhausted.unavailable },
  () => {
    const { stdout, stderr, code } = exhausted.run(process.execPath, [fixturePath("no-memory")]);
    assert.deepEqual([code, stderr], [0, ""]);
    const { kept, ...rest } = JSON.parse(stdout) as { kept: number };
    assert.deepEqual(rest, { reason: "output-limit", limit: null, truncated: "no-memory", little: 50_000 });
    assert.ok(kept >= 65_536 && kept < 50_000_000, String(kept));
  },
);
