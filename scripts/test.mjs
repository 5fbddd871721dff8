// Runs the built tests with node:test. Arguments are parts of file names:
// `npm test -- stdio` runs the files with "stdio" in their path. Those in
// test/vm need a virtual machine: `npm run test:vm`.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = process.argv.slice(2);
const files = readdirSync(join(root, "build/test"), { recursive: true })
  .filter((name) => name.endsWith(".test.js") && !name.startsWith("vm/"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .map((name) => join("build/test", name))
  .toSorted();
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(" ")}`);
  process.exit(1);
}
// One file at a time: tests count this process's children and fds, and measure nothing but may starve each other.
const result = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-concurrency=1", "--test-timeout=120000", ...files],
  { cwd: root, stdio: "inherit" },
);
process.exit(result.status ?? 1);
