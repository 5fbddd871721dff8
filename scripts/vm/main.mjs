// Runs built tests in virtual machines with kernels of Debian, for what this
// machine may lack: older kernels, another architecture, cgroup v2 with its
// controllers.
//
//   npm run test:vm                              the tests in test/vm, on Linux 6.1
//   npm run test:vm -- --kernel 5.10 pool/run    files with "pool/run" in their path, on another kernel
//
//   --kernel   5.10, 6.1, 6.12 or all; may be given more than once
//   --arch     x64, arm64 or all; may be given more than once (this machine's)
//   --run      a shell command instead of tests, as "node dist/cli/main.js doctor"
//   --timeout  how many seconds a whole VM may take (900); a test file, two thirds of it
//   --memory   how many MiB it has (1500)
//
// Where something that it needs cannot be had, it says what is skipped, and
// succeeds.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ARCHITECTURES } from "./arch.mjs";
import { boot } from "./boot.mjs";
import { fetchBusybox, fetchKernel, fetchQemu, Unavailable } from "./fetch.mjs";
import { PACKAGES, writeGuest } from "./guest.mjs";
import { foreignUserland, ownUserland } from "./userland.mjs";

const SERIES = ["5.10", "6.1", "6.12"];
/** Of a VM's time, what a test file may take. Emulated, a program that computes takes some 30 times as long. */
const TEST_SHARE = 2 / 3;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: "string", multiple: true, default: ["6.1"] },
    arch: { type: "string", multiple: true, default: [process.arch] },
    run: { type: "string" },
    timeout: { type: "string", default: "900" },
    memory: { type: "string", default: "1500" },
  },
});

/** @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(1);
}

function wantedNumber(option, what) {
  const number = Number(values[option]);
  return number > 0 ? number : fail(`--${option} is a number of ${what}, not ${values[option]}`);
}

/** What is wanted of a few that there are. */
function wanted(what, names, known) {
  if (names.includes("all")) return known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) fail(`there is no ${what} ${unknown}; there are ${known.join(", ")} and all`);
  return names;
}

function wantedTests() {
  const parts = positionals.length === 0 ? ["vm/"] : positionals;
  const found = readdirSync(join(root, "build/test"), { recursive: true })
    .filter((name) => name.endsWith(".test.js"))
    .filter((name) => parts.some((part) => name.includes(part)))
    .toSorted();
  return found.length > 0 ? found : fail(`no test file matches ${parts.join(" ")}`);
}

function wantedCommand() {
  if (values.run !== undefined) return positionals.length === 0 ? values.run : fail("--run takes the place of tests");
  const options = [
    "--test-concurrency=1",
    "--test-reporter=spec",
    `--test-timeout=${Math.round(seconds * 1000 * TEST_SHARE)}`,
  ];
  const files = wantedTests().map((name) => `build/test/${name}`);
  return ["exec node --enable-source-maps --test", ...options, ...files].join(" ");
}

/** The shim and the guardian for another architecture, as a release has them. */
function buildFor(arch) {
  const args = ["scripts/build.mjs", "--quiet", "--only", arch];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Unavailable(stderr.trim().split("\n").at(-1));
}

function meansFor(name) {
  const arch = ARCHITECTURES[name];
  const qemu = fetchQemu(arch);
  const busybox = fetchBusybox(arch);
  if (name === process.arch) return { arch, qemu, busybox, userland: ownUserland() };
  buildFor(name);
  return { arch, qemu, busybox, userland: foreignUserland(name, arch, PACKAGES) };
}

/** Boots one kernel and prints how what ran in it came out. */
async function runOn(series, { arch, qemu, busybox, userland }) {
  const kernel = fetchKernel(series, arch);
  const initramfs = join(folder, `${series}.cpio`);
  writeGuest(initramfs, { userland, busybox, command, env: { PIDPOOL_VM: series } });
  const start = performance.now();
  const { ok, counts, failure } = await boot(qemu, { arch, kernel, initramfs, memory, seconds });
  rmSync(initramfs);
  const took = `(${Math.round((performance.now() - start) / 1000)} s)`;
  if (!ok) process.exitCode = 1;
  if (failure === undefined && values.run !== undefined) return `${ok ? "succeeded" : "failed"} ${took}`;
  const failed = (counts.fail ?? 0) + (counts.cancelled ?? 0);
  const result = `pass ${counts.pass ?? 0} fail ${failed} skipped ${counts.skipped ?? 0} ${took}`;
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

const kernels = wanted("kernel", values.kernel, SERIES);
const arches = wanted("architecture", values.arch, Object.keys(ARCHITECTURES));
const seconds = wantedNumber("timeout", "seconds");
const memory = wantedNumber("memory", "MiB");
const command = wantedCommand();
const folder = mkdtempSync(join(tmpdir(), "pidpool-vm-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const results = [];
for (const arch of arches) {
  const skipped = await orSkipped(async () => {
    const means = meansFor(arch);
    // One at a time: they take all of the machine's cores.
    for (const series of kernels) {
      console.log(`== Linux ${series} ${arch}`);
      results.push(`# vm ${series} ${arch}: ${await orSkipped(() => runOn(series, means))}`);
    }
  });
  if (skipped !== undefined) results.push(`# vm ${arch}: ${skipped}`);
}
console.log(results.join("\n"));
