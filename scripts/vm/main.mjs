// Runs built tests in virtual machines with kernels of Debian, for what this
// machine may lack: older kernels, cgroup v2 with its controllers.
//
//   npm run test:vm                              the tests in test/vm, on Linux 6.1
//   npm run test:vm -- --kernel 5.10 pool/run    files with "pool/run" in their path, on another kernel
//
//   --kernel   5.10, 6.1, 6.12 or all; may be given more than once
//   --timeout  how many seconds a whole VM may take (900)
//
// Where something that it needs cannot be had, it says what is skipped, and
// succeeds.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { boot } from "./boot.mjs";
import { fetchBusybox, fetchKernel, fetchQemu, Unavailable } from "./fetch.mjs";
import { writeGuest } from "./guest.mjs";

const SERIES = ["5.10", "6.1", "6.12"];
/** Emulated, a program that computes takes some 30 times as long. */
const TEST_TIMEOUT = 600_000;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: "string", multiple: true, default: ["6.1"] },
    timeout: { type: "string", default: "900" },
  },
});

/** @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(1);
}

function wantedSeconds() {
  const seconds = Number(values.timeout);
  return seconds > 0 ? seconds : fail(`--timeout is a number of seconds, not ${values.timeout}`);
}

function wantedSeries() {
  if (values.kernel.includes("all")) return SERIES;
  const unknown = values.kernel.find((series) => !SERIES.includes(series));
  if (unknown !== undefined) fail(`there is no kernel ${unknown}; there are ${SERIES.join(", ")} and all`);
  return values.kernel;
}

function wantedTests() {
  const wanted = positionals.length === 0 ? ["vm/"] : positionals;
  const found = readdirSync(join(root, "build/test"), { recursive: true })
    .filter((name) => name.endsWith(".test.js"))
    .filter((name) => wanted.some((part) => name.includes(part)))
    .toSorted();
  return found.length > 0 ? found : fail(`no test file matches ${wanted.join(" ")}`);
}

/** Runs the tests on one kernel and prints how that came out. */
async function runOn(series, { qemu, busybox, tests, folder, seconds }) {
  const kernel = fetchKernel(series);
  const initramfs = join(folder, `${series}.cpio`);
  writeGuest(initramfs, busybox, tests, { series, testTimeout: TEST_TIMEOUT });
  const start = performance.now();
  const { ok, counts, failure } = await boot(qemu, { kernel, initramfs, seconds });
  rmSync(initramfs);
  const failed = (counts.fail ?? 0) + (counts.cancelled ?? 0);
  const took = Math.round((performance.now() - start) / 1000);
  const result = `pass ${counts.pass ?? 0} fail ${failed} skipped ${counts.skipped ?? 0} (${took} s)`;
  if (!ok) process.exitCode = 1;
  return failure === undefined ? result : `${result}: ${failure}`;
}

/** The outcome of `action`, or that it is skipped and why. */
async function orSkipped(action) {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Unavailable) return `skipped: ${error.message}`;
    throw error;
  }
}

const series = wantedSeries();
const tests = wantedTests();
const seconds = wantedSeconds();
const folder = mkdtempSync(join(tmpdir(), "pidpool-vm-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const results = await orSkipped(async () => {
  if (process.arch !== "x64") throw new Unavailable("the VMs are x64, and run this machine's node");
  const means = { qemu: fetchQemu(), busybox: fetchBusybox(), tests, folder, seconds };
  const lines = [];
  // One at a time: they take all of the machine's cores.
  for (const name of series) {
    console.log(`== Linux ${name}`);
    lines.push(`# vm ${name}: ${await orSkipped(() => runOn(name, means))}`);
  }
  return lines.join("\n");
});
console.log(results);
