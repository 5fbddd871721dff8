// A child that shares this process's terminal, as every one does that has no
// session of its own, can type on it: the shell reads that when this has ended.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "../helpers/isolated.ts";
import { startFixture } from "../helpers/fixture.ts";
import { hasCommands } from "../helpers/processes.ts";

/** Runs what follows on a terminal of its own, and passes on what is written there. */
const ON_TERMINAL = ["python3", "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"];

function legacy(): boolean {
  try {
    return readFileSync("/proc/sys/dev/tty/legacy_tiocsti", "utf8").trim() === "1";
  } catch {
    // Before Linux 6.2 it cannot be turned off.
    return true;
  }
}

test("a child types on this process's terminal, unless it has a session of its own or a filter", async (t) => {
  if (!hasCommands("python3")) return t.skip("python3 is not installed");
  if (!legacy()) return t.skip("dev.tty.legacy_tiocsti is 0: nobody can");
  const sets: readonly (readonly [options: object, typed: boolean])[] = [
    [{ isolation: "none" }, true],
    [{ isolation: "shared" }, true],
    [{ isolation: "private" }, true],
    [{ isolation: "contained" }, false],
    [{ isolation: "shared", session: true }, false],
    [{ isolation: "shared", session: true, inherit: true }, false],
    [{ isolation: "contained", inherit: true }, false],
    [{ isolation: "shared", inherit: true }, true],
    [{ isolation: "shared", seccomp: "default", inherit: true }, false],
  ];
  // Root of the host may do it on any terminal; without capabilities nobody may.
  const { code, stdout, stderr } = await startFixture(
    "terminal",
    sets.map(([options]) => JSON.stringify(options)),
    ON_TERMINAL,
  ).ended;
  assert.equal(code, 0, stdout + stderr);
  const outcomes = JSON.parse(stdout.slice(stdout.indexOf("["))) as string[];
  for (const [i, [options, typed]] of sets.entries())
    assert.equal(outcomes[i] === "typed", typed, `${JSON.stringify(options)}: ${outcomes[i]}`);
  return undefined;
});
