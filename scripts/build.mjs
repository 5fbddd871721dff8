// Builds everything that a checkout needs: the C shim and the guardian for this
// machine into prebuilds/, TypeScript into dist/ (the package) and build/ (tests, demo, examples,
// benchmarks). Runs as `prepare`, so before `npm pack` too, but not where the
// packed tarball is installed.
//
//   --quiet  says nothing unless something fails
//   --all    instead, the shims of a release: of all architectures, always
//            anew, with clang and lld, which give the same bytes everywhere
//   --only   the same of one architecture
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values: options } = parseArgs({
  options: {
    quiet: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    only: { type: "string" },
  },
});

/** What differs between the architectures. Adding one: see CONTRIBUTING.md. */
const ARCHITECTURES = {
  x64: { target: "x86_64-linux-gnu", flags: [] },
  // Outlined atomics would ask libgcc which instructions there are.
  arm64: { target: "aarch64-linux-gnu", flags: ["-mno-outline-atomics"] },
};

/** Nothing of libc, no trace of the machine that compiled it. */
const FLAGS = [
  ["-std=c11", "-O2", "-ffreestanding", "-nostdlib"],
  ["-fno-ident", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-s"],
  ["-Wall", "-Wextra", "-Werror", "-Wl,-z,noexecstack,--build-id=none"],
].flat();

/** What is built from C: a library, and a program. */
const PRODUCTS = [
  {
    name: "pidpool.so",
    folder: "src/native/shim",
    flags: ["-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,now,-z,defs,-z,nodelete"],
  },
  { name: "pidpool-guardian", folder: "src/native/guard", flags: ["-static", "-fno-pie"] },
];

/** @returns {never} */
function fail(message) {
  console.error(`pidpool: ${message}`);
  process.exit(1);
}

function say(message) {
  if (!options.quiet) console.log(`pidpool: ${message}`);
}

function filesOf(folder, ending) {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => `${folder}/${name}`);
}

/** Compiles one product with a compiler given as [command, ...arguments]; `missing` says what to install. */
function compile(arch, { name, folder, flags }, [command, ...args], missing) {
  const output = `prebuilds/linux-${arch}/${name}`;
  // Another process may have the old file mapped, or be loading it just now.
  const fresh = `${output}.${process.pid}`;
  mkdirSync(dirname(join(root, output)), { recursive: true });
  try {
    const sources = filesOf(folder, ".c");
    execFileSync(command, [...args, ...FLAGS, ...flags, ...ARCHITECTURES[arch].flags, "-o", fresh, ...sources], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    });
    renameSync(join(root, fresh), join(root, output));
  } catch (error) {
    rmSync(join(root, fresh), { force: true });
    if (error.code === "ENOENT") fail(missing);
    fail(`${name} for ${arch} did not compile (${command} ended with ${error.status ?? error.signal ?? error.code})`);
  }
  say(`built ${output} with ${command}`);
}

function buildHostShim() {
  const { arch, platform } = process;
  if (platform !== "linux") fail(`this is a library for Linux; ${platform} has no pidfd`);
  if (!Object.hasOwn(ARCHITECTURES, arch)) {
    fail(`no shim for the architecture ${arch} (${Object.keys(ARCHITECTURES).join(" and ")} are supported)`);
  }
  const compiler = (process.env.CC || "cc").split(" ");
  const inputs = [
    ...PRODUCTS.flatMap(({ folder }) => filesOf(folder, "")),
    relative(root, fileURLToPath(import.meta.url)),
  ];
  const newest = Math.max(...inputs.map((file) => statSync(join(root, file)).mtimeMs));
  for (const product of PRODUCTS) {
    const output = join(root, `prebuilds/linux-${arch}/${product.name}`);
    if (existsSync(output) && statSync(output).mtimeMs >= newest) continue;
    compile(arch, product, compiler, missingCompiler(compiler[0]));
  }
}

function missingCompiler(name) {
  return `no C compiler "${name}" found; install one (Debian and Ubuntu: apt-get install gcc; Alpine: apk add gcc; Fedora: dnf install gcc) or name yours in CC`;
}

/** A clang that finds an lld: both with the version that releases are made with, or whatever there is. */
function findClang() {
  for (const clang of ["clang-14", "clang"]) {
    try {
      const linker = execFileSync(clang, ["--print-prog-name=ld.lld"], { encoding: "utf8" }).trim();
      // A bare name comes back when it is not found.
      if (linker !== "ld.lld") return clang;
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  return fail("no clang with lld found; install both (Debian and Ubuntu: apt-get install clang-14 lld-14)");
}

function buildReleaseShims(arches) {
  const clang = findClang();
  for (const arch of arches) {
    const { target } = ARCHITECTURES[arch];
    for (const product of PRODUCTS)
      compile(arch, product, [clang, `--target=${target}`, "-fuse-ld=lld"], `${clang} is gone`);
  }
}

function buildTypeScript() {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  if (!existsSync(tsc)) fail("TypeScript is missing; run npm install");
  prune("dist", "src");
  for (const folder of ["test", "bench", "demo", "examples"]) prune(`build/${folder}`, folder);
  try {
    execFileSync(process.execPath, [tsc, "-b"], { cwd: root, stdio: "inherit" });
  } catch {
    fail("TypeScript did not compile");
  }
}

/** Removes what was built from sources that are no more: it would be packed, or run as a test. */
function prune(built, source) {
  if (!existsSync(join(root, built))) return;
  for (const name of readdirSync(join(root, built), { recursive: true })) {
    const stem = /^(.*)\.(?:js|js\.map|d\.ts)$/.exec(name)?.[1];
    if (stem !== undefined && !existsSync(join(root, source, `${stem}.ts`))) rmSync(join(root, built, name));
  }
}

if (options.all || options.only !== undefined) {
  buildReleaseShims(options.only === undefined ? Object.keys(ARCHITECTURES) : [options.only]);
} else {
  buildHostShim();
  buildTypeScript();
}
