// The shim and the guardian link against nothing, so they serve a program of musl as one of glibc.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { guardianProgram } from "#pidpool/native/load.js";
import { tempDir } from "../helpers/files.ts";
import { missing } from "../helpers/under-filter.ts";

const source = fileURLToPath(new URL("../../../test/environments/musl.c", import.meta.url));

test("a program of musl loads the shim, calls it, and starts the guardian", { skip: missing("musl-gcc") }, (t) => {
  const program = join(tempDir(t), "musl");
  const compiled = spawnSync("musl-gcc", ["-O1", "-Wall", "-Werror", "-o", program, source], { encoding: "utf8" });
  assert.equal(compiled.status, 0, compiled.stderr);
  const guardian = guardianProgram();
  const shim = join(guardian, "../pidpool.so");
  const { stdout, stderr, status } = spawnSync(program, [shim, guardian], { encoding: "utf8" });
  assert.deepEqual([stderr, status, stdout], ["", 0, "1\n1\n1\n"]);
});
