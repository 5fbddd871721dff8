import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessPool } from "../helpers/pool.ts";

const ENV = "/usr/bin/env";

/** The environment as env(1) prints it for `-0`. */
function parse(text: string): Record<string, string> {
  const entries = text.split("\0").slice(0, -1);
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

test("env is the child's whole environment", async () => {
  await using pool = new ProcessPool();
  const env = { ONE: "1", EMPTY: "", EQUALS: "a=b", LINES: "a\nb", "odd name": "ž 🐎" };
  assert.deepEqual(parse((await pool.run(ENV, ["-0"], { env })).stdout), env);
});

test("an empty env leaves the child without any variable", async () => {
  await using pool = new ProcessPool();
  assert.equal((await pool.run(ENV, [], { env: {} })).stdout, "");
});

test("entries of env that are undefined are left out", async () => {
  await using pool = new ProcessPool();
  const { stdout } = await pool.run(ENV, ["-0"], { env: { A: "1", B: undefined, C: "3" } });
  assert.deepEqual(parse(stdout), { A: "1", C: "3" });
});

test("the default is process.env at the time of the call", async (t) => {
  await using pool = new ProcessPool();
  t.after(() => delete process.env["PIDPOOL_TEST"]);
  const see = async (): Promise<string | undefined> => parse((await pool.run(ENV, ["-0"])).stdout)["PIDPOOL_TEST"];
  assert.equal(await see(), undefined);
  process.env["PIDPOOL_TEST"] = "first";
  assert.equal(await see(), "first");
  process.env["PIDPOOL_TEST"] = "second";
  assert.equal(await see(), "second");
  delete process.env["PIDPOOL_TEST"];
  assert.equal(await see(), undefined);
});

test("the default environment is all of process.env", async () => {
  await using pool = new ProcessPool();
  assert.deepEqual(parse((await pool.run(ENV, ["-0"])).stdout), { ...process.env });
  assert.deepEqual(parse((await pool.run(ENV, ["-0"], { env: process.env })).stdout), { ...process.env });
});

test("a run that waits in the queue keeps the environment of its call", async (t) => {
  await using pool = new ProcessPool({ concurrency: 1 });
  t.after(() => delete process.env["PIDPOOL_TEST"]);
  process.env["PIDPOOL_TEST"] = "at the call";
  const env: Record<string, string> = { WORD: "given" };
  const first = pool.run("cat", [], { input: "" });
  const inherited = pool.run("sh", ["-c", "echo $PIDPOOL_TEST"]);
  const given = pool.run("/bin/sh", ["-c", "echo $WORD"], { env });
  assert.equal(pool.queueSize, 2);
  process.env["PIDPOOL_TEST"] = "later";
  env["WORD"] = "later";
  await first;
  assert.equal((await inherited).stdout, "at the call\n");
  assert.equal((await given).stdout, "given\n");
});
