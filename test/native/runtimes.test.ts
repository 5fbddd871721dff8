// Runtimes beside Node: what carries a pool, and what only the native layer.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const built = (path: string): string => fileURLToPath(new URL(`../${path}.js`, import.meta.url));

function run(...args: string[]): string {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8", env });
  assert.equal(status, 0, stderr);
  return stdout;
}

test("the native layer launches and reaps by itself, without a supervisor", () => {
  assert.equal(run(built("environments/native")), "passed\n");
});

test("under Bun a pool says at its construction that it does not run there, and does not hang later", () => {
  const script = `
    Object.defineProperty(process, "versions", { value: { ...process.versions, bun: "1.4.5" } });
    const { ProcessPool } = await import("pidpool");
    try {
      new ProcessPool();
    } catch ({ code, message }) {
      console.log(code, message);
    }`;
  assert.match(
    run("--input-type=module", "-e", script),
    /^ERR_UNSUPPORTED pidpool does not run under Bun, .*net\.Socket/,
  );
});

test("the checks that other runtimes are tried with pass here", () => {
  for (const name of ["run: times of the report", "spawn: exit events", "spawn: stdin, stdout and stderr as streams"])
    assert.match(run(built("environments/conformance"), name), /^(passed|skipped: .*)\n$/);
});
