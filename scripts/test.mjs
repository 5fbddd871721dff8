// Runs the built tests with node:test. Arguments are parts of file names:
// `npm test -- stdio` runs the files with "stdio" in their path. Those in
// test/vm need a virtual machine: `npm run test:vm`. With --tap it writes TAP,
// whatever this Node and its terminal would choose.
import { spawnSync } from "node:child_process";
import { testIsolation } from "./isolation.mjs";
import { root, testFiles } from "./test-files.mjs";

const args = process.argv.slice(2);
const wanted = args.filter((arg) => arg !== "--tap");
const files = testFiles(wanted);
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(" ")}`);
  process.exit(1);
}
const { env, why } = await testIsolation();
if (why !== undefined) console.log(`# the suite runs at isolation "none": ${why}`);
const reporter = args.includes("--tap") ? ["--test-reporter=tap"] : [];
// One file at a time: tests count this process's children and fds, and measure nothing but may starve each other.
const result = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", ...reporter, "--test-concurrency=1", "--test-timeout=120000", ...files],
  { cwd: root, stdio: "inherit", env: { ...process.env, ...env } },
);
process.exit(result.status ?? 1);
