// Exits that foreign code takes away: never a hang, never a wrong status.
import assert from "node:assert/strict";
import { release } from "node:os";
import { test } from "node:test";
import { startFixture } from "./helpers/fixture.ts";

interface Counts {
  readonly known: number;
  readonly unknown: number;
  readonly wrong: number;
  readonly stolen: number;
}

const [major = 0, minor = 0] = release().split(".").map(Number);
/** From 6.15 on, the pidfd tells the status all the same. */
const pidfdInfo = major > 6 || (major === 6 && minor >= 15);

for (const mode of ["ignored", "stolen"]) {
  test(`every child is reported where its exit is ${mode}`, async () => {
    const { code, stdout, stderr } = await startFixture("foreign-wait", [mode]).ended;
    assert.equal(code, 0, stderr);
    const counts = JSON.parse(stdout) as Counts;
    assert.equal(counts.known + counts.unknown, 400);
    assert.equal(counts.wrong, 0);
    if (pidfdInfo) assert.equal(counts.unknown, 0);
    else if (mode === "ignored") assert.equal(counts.known, 0);
  });
}
