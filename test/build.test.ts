// What a machine sees that lacks something: a compiler for a checkout, or
// whatever the library needs at run time.
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const temporary = mkdtempSync(join(tmpdir(), "pidpool-build-"));
after(() => rmSync(temporary, { recursive: true, force: true }));

/** A copy of the project with just these files and folders. */
function copy(name: string, ...parts: string[]): string {
  const folder = join(temporary, name);
  mkdirSync(folder);
  for (const part of ["package.json", ...parts]) cpSync(join(root, part), join(folder, part), { recursive: true });
  return folder;
}

describe("the build of a checkout", () => {
  const checkout = copy("checkout", "scripts", "src/native/shim", "src/native/guard");

  function build(args: string[], env: NodeJS.ProcessEnv): SpawnSyncReturns<string> {
    const result = spawnSync(process.execPath, ["scripts/build.mjs", ...args], {
      cwd: checkout,
      env,
      encoding: "utf8",
    });
    assert.equal(result.status, 1, result.stderr);
    assert.equal(result.stdout, "");
    return result;
  }

  test("says in one line which compiler to install", () => {
    const { stderr } = build([], { PATH: temporary });
    assert.match(
      stderr,
      /^pidpool: no C compiler "cc" found; install one \(.*apt-get install gcc.*\) or name yours in CC\n$/,
    );
  });

  test("names the compiler of CC where that is missing", () => {
    const { stderr } = build([], { PATH: temporary, CC: "no-such-cc -O1" });
    assert.match(stderr, /^pidpool: no C compiler "no-such-cc" found; .*\n$/);
  });

  test("leaves nothing half-built where the compiler fails", () => {
    const { stderr } = build([], { PATH: temporary, CC: `${process.execPath} --no-such-flag` });
    assert.match(stderr, /pidpool: pidpool\.so for \w+ did not compile \(.* ended with \d+\)\n$/);
    assert.ok(!existsSync(join(checkout, `prebuilds/linux-${process.arch}/pidpool.so`)));
  });

  test("of all architectures says in one line that it needs clang", () => {
    const { stderr } = build(["--all"], { PATH: temporary });
    assert.match(stderr, /^pidpool: no clang with lld found; install both \(.*\)\n$/);
  });

  test("of all architectures gives the same bytes in every folder", (t) => {
    const folders = [
      copy("here", "scripts", "src/native/shim", "src/native/guard"),
      copy("over there", "scripts", "src/native/shim", "src/native/guard"),
    ];
    const shims = folders.map((cwd) => {
      const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs", "--all"], { cwd, encoding: "utf8" });
      if (stderr.includes("no clang with lld found")) return stderr.trim();
      assert.equal(status, 0, stderr);
      return ["x64", "arm64"].flatMap((arch) =>
        ["pidpool.so", "pidpool-guardian"].map((name) => readFileSync(join(cwd, `prebuilds/linux-${arch}/${name}`))),
      );
    });
    if (typeof shims[0] === "string") t.skip(shims[0]);
    assert.deepEqual(shims[0], shims[1]);
  });
});

describe("where it cannot work, importing the package", () => {
  const shimless = copy("shimless", "dist");
  symlinkSync(join(root, "node_modules"), join(shimless, "node_modules"));

  const cases = [
    {
      where: "on another platform",
      cwd: root,
      setup: 'Object.defineProperty(process, "platform", { value: "darwin" });',
      message: /^pidpool needs Linux .*darwin/,
    },
    {
      where: "on another architecture",
      cwd: root,
      setup: 'Object.defineProperty(process, "arch", { value: "mips" });',
      message: /no shim for the architecture mips/,
    },
    { where: "without the shim", cwd: shimless, setup: "", message: /the shim .*pidpool\.so is missing/ },
  ];
  for (const { where, cwd, setup, message } of cases) {
    test(`${where} succeeds, and a pool says why not`, () => {
      const program = `
        ${setup}
        const { ProcessPool, PidpoolError } = await import("pidpool");
        try {
          new ProcessPool();
        } catch (error) {
          console.log(JSON.stringify({ ours: error instanceof PidpoolError, code: error.code, message: error.message }));
        }`;
      const args = ["--input-type=module", "--eval", program];
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
      assert.equal(status, 0, stderr);
      const error = JSON.parse(stdout) as { ours: boolean; code: string; message: string };
      assert.equal(error.ours, true);
      assert.equal(error.code, "ERR_UNSUPPORTED");
      assert.match(error.message, message);
    });
  }
});
