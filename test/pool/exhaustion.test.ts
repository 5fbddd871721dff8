import assert from "node:assert/strict";
import { test } from "node:test";
import { startFixture } from "../helpers/fixture.ts";
import { hasCommands } from "../helpers/processes.ts";

for (const mode of ["later", "from the start"]) {
  test(`destroy() rejects launches that wait because fds ran out ${mode}, and starts none of them`, async (t) => {
    if (!hasCommands("prlimit")) return t.skip("needs prlimit");
    const { code, stdout, stderr } = await startFixture("destroyed", [mode], ["prlimit", "--nofile=256"]).ended;
    assert.equal(code, 0, stderr);
    const { retried, codes, children } = JSON.parse(stdout) as { retried: number; codes: string[]; children: number[] };
    assert.ok(retried > 1, `${retried}`);
    assert.deepEqual(
      codes,
      Array.from({ length: 7 }, () => "ERR_CLOSED"),
    );
    assert.deepEqual(children, []);
  });
}
