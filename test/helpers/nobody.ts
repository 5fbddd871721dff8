// Fixtures, and whole test files, as an ordinary user.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { accessSync } from "node:fs";
import { test } from "node:test";
import { fixturePath, startFixture } from "./fixture.ts";
import { hasCommands } from "./processes.ts";

/** To be put before a command. */
export const AS_NOBODY: readonly string[] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/** For the option `skip`: why fixtures cannot run as another user here. */
export const notNobody: string | false = whyNot();

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return "needs root, to become another user";
  if (!hasCommands("setpriv")) return "setpriv is not installed";
  const [setpriv = "", ...options] = AS_NOBODY;
  const read = [process.execPath, "-e", "fs.readFileSync(process.argv[1])", fixturePath("delegated")];
  const { status } = spawnSync(setpriv, [...options, ...read]);
  return status !== 0 && "other users may not read this folder";
}

/** A test that runs a built test file, known by its path without ".test.js", as another user. */
export function againAsNobody(file: string): void {
  test(`${file}, as user nobody`, { skip: notNobody }, async () => {
    accessSync(fixturePath(`../${file}.test`));
    const { code, stdout, stderr } = await startFixture(`../${file}.test`, [], AS_NOBODY).ended;
    assert.equal(code, 0, stdout.slice(-8000) + stderr);
  });
}
