// The command line: what it prints where, and its exit codes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { probe, type ProbeReport } from "pidpool";
import { cli } from "#pidpool/cli/cli.js";
import { tempDir } from "../helpers/files.ts";

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], terminal: object = {}, env: Record<string, string> = {}): Promise<Outcome> {
  const text = { out: "", err: "" };
  const out = { ...terminal, write: (more: string) => (text.out += more) };
  const err = { ...terminal, write: (more: string) => (text.err += more) };
  return { code: await cli(args, out, err, env), ...text };
}

test("--help and --version go to stdout", async () => {
  for (const args of [["--help"], ["-h"], ["doctor", "--help"]]) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^Usage: pidpool doctor \[--json\]\n/);
  }
  assert.deepEqual(await run(["--version"]), { code: 0, out: `${version}\n`, err: "" });
});

for (const [args, why] of [
  [[], /no command given/],
  [["examine"], /no command "examine"/],
  [["doctor", "now"], /takes no arguments/],
  [["doctor", "--jason"], /--jason/],
  [["doctor", "--json=yes"], /--json/],
] as const) {
  test(`"pidpool ${args.join(" ")}" is wrong: exit code 2, the reason and the usage on stderr`, async () => {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^pidpool: /);
    assert.match(err, why);
    assert.match(err, /\nUsage: pidpool doctor/);
  });
}

test("doctor prints a table with all features, and exits by whether launches work", async () => {
  const { code, out, err } = await run(["doctor"]);
  const { features, ready } = await probe();
  assert.deepEqual([code, err], [ready ? 0 : 1, ""]);
  for (const { feature, status } of features) {
    assert.match(out, new RegExp(`^  ${feature} +${status} `, "m"));
  }
});

test("doctor --json prints the report", async () => {
  const { code, out } = await run(["doctor", "--json"], { isTTY: true });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out), await probe());
  assert.ok(out.endsWith("}\n"));
});

test("colours are for terminals, without NO_COLOR", async () => {
  const coloured = async (terminal: object, env: Record<string, string>): Promise<boolean> =>
    (await run(["doctor"], terminal, env)).out.includes("\u001B[");
  assert.equal(await coloured({ isTTY: true, columns: 80 }, {}), true);
  assert.equal(await coloured({ isTTY: true }, { NO_COLOR: "" }), true);
  assert.equal(await coloured({ isTTY: true }, { NO_COLOR: "1" }), false);
  assert.equal(await coloured({ isTTY: true }, { TERM: "dumb" }), false);
  assert.equal(await coloured({}, {}), false);
});

test("where nothing can be launched it prints the table all the same, and exits with 1", (t) => {
  const shimless = tempDir(t);
  mkdirSync(join(shimless, "dist"));
  for (const part of ["package.json", "dist"]) cpSync(join(root, part), join(shimless, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(shimless, "node_modules"));
  const elsewhere = (name: string, value: string): string[] => [
    "--import",
    `data:text/javascript,Object.defineProperty(process, "${name}", { value: "${value}" })`,
  ];
  for (const [folder, flags, why] of [
    [root, elsewhere("platform", "darwin"), /this is darwin/],
    [root, elsewhere("arch", "mips"), /no shim for the architecture mips/],
    [shimless, [], /the shim .*pidpool\.so is missing/],
  ] as const) {
    const main = join(folder, "dist/cli/main.js");
    const table = spawnSync(process.execPath, [...flags, main, "doctor"], { encoding: "utf8" });
    assert.deepEqual([table.status, table.stderr], [1, ""]);
    assert.match(table.stdout, /^  native +no +/m);
    assert.match(table.stdout, why);
    assert.match(table.stdout, /^  isolation-shared +no +not tried: /m);
    assert.match(table.stdout, /^pidpool cannot launch anything here\.$/m);
    const json = spawnSync(process.execPath, [...flags, main, "doctor", "--json"], { encoding: "utf8" });
    assert.equal((JSON.parse(json.stdout) as ProbeReport).ready, false);
  }
});
