// Small programs in C for tests, from test/fixtures.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { compiledForVm } from "./vm.ts";

/** A program that was compiled, or why not. */
export type Compiled = { readonly file: string; readonly unavailable: false } | { readonly unavailable: string };

/** Compiles test/fixtures/NAME.c to where every user may run it; it goes with the test file. */
export function compile(name: string): Compiled {
  const ready = compiledForVm(name);
  if (ready !== undefined) return { file: ready, unavailable: false };
  const dir = mkdtempSync(join(tmpdir(), "pidpool-c-"));
  after(() => rmSync(dir, { recursive: true, force: true }));
  chmodSync(dir, 0o755);
  return compileInto(dir, name);
}

/** Compiles test/fixtures/NAME.c into a directory; for what is no test file. */
export function compileInto(dir: string, name: string): Compiled {
  const file = join(dir, name);
  const source = fileURLToPath(new URL(`../../../test/fixtures/${name}.c`, import.meta.url));
  const { error, status, stderr } = spawnSync("cc", ["-O1", "-o", file, source], { encoding: "utf8" });
  if (error !== undefined) return { unavailable: `cc is missing (${error.message})` };
  if (status !== 0) throw new Error(stderr);
  return { file, unavailable: false };
}
