// The tarball as its users get it: what it holds, that it installs without a
// compiler, and that it runs and type-checks there.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, posix } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** All that the user's machine has: no compiler. */
const TOOLS = ["npm", "npx", "sh", "env", "true"];

const ESM = `
import { ProcessPool } from "pidpool";
const pool = new ProcessPool({ isolation: process.env.TEST_ISOLATION });
const { exit } = await pool.run("true");
await pool.close();
console.log(exit.status, exit.code);
`;

const COMMON_JS = `
const { ProcessPool } = require("pidpool");
const pool = new ProcessPool({ isolation: process.env.TEST_ISOLATION });
pool.run("true").then(async ({ exit }) => {
  await pool.close();
  console.log(exit.status, exit.code);
});
`;

const TYPED = `
import { type ExitReport, ProcessPool, PidpoolError } from "pidpool";

export async function firstLine(file: string): Promise<string | undefined> {
  const pool = new ProcessPool({ concurrency: 2 });
  try {
    const { stdout, exit } = await pool.run(file, ["--version"], { timeout: 1000 });
    const report: ExitReport = exit;
    const text: string = stdout;
    return report.status === "exited" ? text.split("\\n")[0] : undefined;
  } catch (error) {
    if (error instanceof PidpoolError) return error.message;
    throw error;
  } finally {
    await pool.close();
  }
}
// @ts-expect-error no such option: the types are there, and are not any
export const wrong: ProcessPool = new ProcessPool({ thread: 1 });
`;

describe("the packed package", () => {
  const temporary = realpathSync(mkdtempSync(join(tmpdir(), "pidpool-package-")));
  const bin = join(temporary, "bin");
  const consumer = join(temporary, "consumer");
  const installed = join(consumer, "node_modules/pidpool");
  let files: string[] = [];

  before(() => {
    mkdirSync(bin);
    mkdirSync(consumer);
    symlinkSync(process.execPath, join(bin, "node"));
    for (const tool of TOOLS) symlinkSync(which(tool), join(bin, tool));
    // dist/ and prebuilds/ were built before the tests.
    const packed = run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", temporary], root, bin);
    const [tarball] = JSON.parse(packed) as { filename: string; files: { path: string }[] }[];
    assert.ok(tarball);
    files = tarball.files.map(({ path }) => path);

    writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true }));
    const offline = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    run("npm", ["install", ...offline, join(temporary, tarball.filename)], consumer, bin);
  });

  after(() => rmSync(temporary, { recursive: true, force: true }));

  test("holds what it must", () => {
    const built = ["pidpool.so", "pidpool-guardian"].map((name) => `prebuilds/linux-${process.arch}/${name}`);
    const must = ["README.md", "LICENSE", "CHANGELOG.md", "package.json", ...built];
    assert.deepEqual(
      must.filter((file) => !files.includes(file)),
      [],
    );
  });

  test("holds nothing else", () => {
    const may =
      /^(?:dist\/.+\.(?:d\.ts|js|js\.map)|src\/.+\.(?:ts|c|h)|prebuilds\/linux-(?:x64|arm64)\/pidpool(?:\.so|-guardian)|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
    assert.deepEqual(
      files.filter((file) => !may.test(file)),
      [],
    );
  });

  test("holds all that was built of each source, and its source", () => {
    const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".ts"),
    );
    const expected = sources.flatMap((name) => {
      const stem = name.slice(0, -".ts".length);
      return [`dist/${stem}.d.ts`, `dist/${stem}.js`, `dist/${stem}.js.map`, `src/${stem}.ts`];
    });
    const packed = files.filter(
      (file) => file.startsWith("dist/") || (file.startsWith("src/") && file.endsWith(".ts")),
    );
    assert.deepEqual(packed.toSorted(), expected.toSorted());
  });

  test("has source maps that lead to sources in it", () => {
    for (const map of files.filter((file) => file.endsWith(".map"))) {
      const { sources } = JSON.parse(readFileSync(join(installed, map), "utf8")) as { sources: string[] };
      for (const source of sources) {
        const path = posix.join(posix.dirname(map), source);
        assert.ok(files.includes(path), `${map} names ${path}`);
      }
    }
  });

  test("runs when imported", () => {
    writeFileSync(join(consumer, "main.mjs"), ESM);
    assert.equal(run("node", ["main.mjs"], consumer, bin), "exited 0\n");
  });

  const requires = "require_module" in process.features && process.features.require_module;
  const skip = !requires && `Node ${process.version} cannot require() ES modules; 20.19 and 22.12 can`;
  test("runs when required", { skip }, () => {
    writeFileSync(join(consumer, "main.cjs"), COMMON_JS);
    assert.equal(run("node", ["main.cjs"], consumer, bin), "exited 0\n");
  });

  test("has a command line that npx finds", () => {
    const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { version: string };
    assert.equal(run("npx", ["--offline", "pidpool", "--version"], consumer, bin), `${version}\n`);
    const report = JSON.parse(run("npx", ["--offline", "pidpool", "doctor", "--json"], consumer, bin)) as {
      ready: boolean;
    };
    assert.equal(report.ready, true);
  });

  for (const skipLibCheck of [true, false]) {
    test(`type-checks with skipLibCheck ${skipLibCheck}`, () => {
      mkdirSync(join(consumer, "node_modules/@types"), { recursive: true });
      const types = join(consumer, "node_modules/@types/node");
      rmSync(types, { force: true });
      symlinkSync(join(root, "node_modules/@types/node"), types);
      writeFileSync(join(consumer, "main.mts"), TYPED);
      const compilerOptions = {
        module: "nodenext",
        target: "es2022",
        strict: true,
        noEmit: true,
        types: ["node"],
        skipLibCheck,
      };
      writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.mts"] }));
      run("node", [join(root, "node_modules/typescript/bin/tsc"), "-p", "."], consumer, bin);
    });
  }
});

function run(file: string, args: string[], cwd: string, path: string): string {
  const env = { ...outerEnvironment(), PATH: path };
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, env, encoding: "utf8" });
  if (error !== undefined) throw error;
  assert.equal(status, 0, `${file} ${args.join(" ")}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** The environment without what the npm that runs this test says about this project; how to reach a registry stays. */
function outerEnvironment(): NodeJS.ProcessEnv {
  const stays = /^npm_config_(?:registry|cache|userconfig|globalconfig)$/;
  const ours = /^(?:npm_|INIT_CWD$|NODE_TEST_CONTEXT$|NODE_OPTIONS$|NODE_PATH$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => stays.test(name) || !ours.test(name)));
}

function which(tool: string): string {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    try {
      return realpathSync(join(folder, tool));
    } catch {
      continue;
    }
  }
  throw new Error(`no ${tool} in PATH`);
}
