// Builds everything that a checkout needs: the C shim for this machine into
// prebuilds/, TypeScript into dist/ (the package) and build/ (tests, demo,
// benchmarks). Runs as `prepare`, so before `npm pack` too, but not where the
// packed tarball is installed.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const quiet = process.argv.includes("--quiet");

const FLAGS = [
  "-std=c11", "-O2", "-ffreestanding", "-nostdlib", "-shared", "-fPIC", "-fvisibility=hidden",
  "-fno-ident", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-s",
  "-Wall", "-Wextra", "-Werror",
  "-Wl,-z,now,-z,noexecstack,-z,defs,-z,nodelete,--build-id=none",
];

function fail(message) {
  console.error(`pidpool: ${message}`);
  process.exit(1);
}

function buildShim() {
  if (process.platform !== "linux") fail(`this is a library for Linux; ${process.platform} has no pidfd`);
  if (process.arch !== "x64" && process.arch !== "arm64") fail(`no shim for the architecture ${process.arch} (x64 and arm64 are supported)`);
  const shim = join(root, "src/native/shim");
  const sources = readdirSync(shim).filter((name) => name.endsWith(".c")).map((name) => join(shim, name));
  const inputs = readdirSync(shim).map((name) => join(shim, name)).concat(fileURLToPath(import.meta.url));
  const output = join(root, `prebuilds/linux-${process.arch}/pidpool.so`);
  if (existsSync(output) && inputs.every((file) => statSync(file).mtimeMs <= statSync(output).mtimeMs)) return;
  mkdirSync(dirname(output), { recursive: true });
  const cc = process.env.CC ?? "cc";
  const arch = process.arch === "arm64" ? ["-mno-outline-atomics"] : [];
  try {
    execFileSync(cc, [...FLAGS, ...arch, "-o", output, ...sources], { stdio: "inherit" });
  } catch (error) {
    if (error.code === "ENOENT") {
      fail(`no C compiler "${cc}" found; install one (Debian and Ubuntu: apt-get install gcc; Alpine: apk add gcc; Fedora: dnf install gcc) or name yours in CC`);
    }
    fail(`the C shim did not compile (${cc} ended with ${error.status ?? error.signal})`);
  }
  if (!quiet) console.log(`pidpool: built ${output.slice(root.length + 1)}`);
}

function buildTypeScript() {
  const tsc = join(root, "node_modules/.bin/tsc");
  if (!existsSync(tsc)) fail("TypeScript is missing; run npm install");
  try {
    execFileSync(tsc, ["-b", "tsconfig.dev.json"], { cwd: root, stdio: "inherit" });
  } catch {
    fail("TypeScript did not compile");
  }
}

buildShim();
buildTypeScript();
