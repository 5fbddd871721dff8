// Checks the C code, by parts: `npm run check:shim` does all, `npm run
// check:shim -- warnings driver` some of them.
//
//   warnings  strict warnings, and gcc's analyzer, for x64 and arm64 (--quick: cc's own)
//   analyze   clang's static analyzer
//   driver    every feature and failing stage against this kernel, under ASan, UBSan and LeakSanitizer; then random
//             specs of the encoder against what the shim relies on
//   threads   the same under ThreadSanitizer: the memory that launcher, supervisor and main thread share
//   replay    the inputs at which the fuzzer starts, once each
//   fuzz      the fuzzer, for --seconds N (60) from --seed N; what it finds is kept in .cache/shim
//             (--quick: the corpus is not)
//   coverage  the lines that the fuzzer's inputs reach
//
// A part that this machine lacks something for says "skipped" and why.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SHIM = ["child", "launch", "launcher", "namespaces", "restrict"];
const FREESTANDING = ["-std=c11", "-O2", "-ffreestanding", "-fPIC", "-fvisibility=hidden"];

const STRICT = [
  ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wvla", "-Wcast-align"],
  ["-Wcast-qual", "-Wnull-dereference", "-Wformat=2", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wundef"],
  ["-Wimplicit-fallthrough", "-Wswitch-enum", "-Wswitch-default", "-Wwrite-strings", "-Wpointer-arith"],
  ["-Wredundant-decls", "-Wold-style-definition", "-Wunused-macros", "-Wnested-externs", "-Werror"],
].flat();
const GCC = [
  ["-Wduplicated-cond", "-Wduplicated-branches", "-Wlogical-op", "-Wcast-align=strict", "-Warith-conversion"],
  ["-Wjump-misses-init", "-Wtrampolines", "-Wstrict-overflow=2", "-Wstack-usage=8192", "-fanalyzer"],
].flat();
// Padding is the kernel's layout, declarations among statements are C11's.
const CLANG = ["-Weverything", "-Wno-padded", "-Wno-declaration-after-statement", "-Werror"];

const SANITIZED = ["-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
// The sanitizers have these functions of their own.
const RENAMED = ["-Dmemcpy=pp_memcpy", "-Dmemset=pp_memset"];

/** Why a part cannot be done here. */
class Skipped extends Error {}

/** Runs a command; throws what it has printed where it fails. */
function run(command, args, options = {}) {
  const { error, status, signal, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
    ...options,
  });
  if (error?.code === "ENOENT") throw new Skipped(`${command} is missing`);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status ?? signal}\n${stdout}${stderr}`);
  return stdout + stderr;
}

function has(command) {
  return spawnSync(command, ["--version"]).error === undefined;
}

function isClang(command) {
  return execFileSync(command, ["--version"], { encoding: "utf8" }).includes("clang");
}

function findClang() {
  const found = ["clang-14", "clang"].find(has);
  if (found === undefined) throw new Skipped("clang is missing (Debian: clang-14)");
  return found;
}

/** The machine's own compiler, with what of these flags it knows. */
function known(command, flags) {
  const { stderr } = spawnSync(command, [...flags, "-E", "-x", "c", "/dev/null"], { encoding: "utf8" });
  const named = stderr.matchAll(/(?:unrecognized|unknown)[^\n]* option [‘'](-[\w=-]+)[’']/g);
  const unknown = new Set([...named].map(([, flag]) => flag));
  return flags.filter((flag) => !unknown.has(flag));
}

function sources() {
  return ["shim", "guard"].flatMap((folder) =>
    readdirSync(join(root, "src/native", folder))
      .filter((name) => name.endsWith(".c"))
      .map((name) => `src/native/${folder}/${name}`),
  );
}

const shim = (name) => `src/native/shim/${name}.c`;
const tested = (name) => `test/shim/${name}.c`;

/** A program of test/shim, from objects with flags of their own. `objects` are [source, flags]. */
function build(directory, name, compiler, objects, flags) {
  const files = objects.map(([source, own], i) => {
    const object = join(directory, `${name}-${i}.o`);
    run(compiler, ["-std=gnu11", ...own, "-c", source, "-o", object]);
    return object;
  });
  const program = join(directory, name);
  run(compiler, [...flags, ...files, "-o", program, "-pthread"]);
  return program;
}

/** Whether programs can be built so, and run. */
function requireSanitizer(directory, compiler, flags) {
  if (!has(compiler)) throw new Skipped(`${compiler} is missing`);
  const program = join(directory, "can");
  const source = { input: "int main(void) { return 0; }\n", encoding: "utf8" };
  const built = spawnSync(compiler, [...flags, "-x", "c", "-", "-o", program], source);
  if (built.status !== 0) throw new Skipped(`${compiler} cannot link ${flags.join(" ")}`);
  const ran = spawnSync(program, [], { encoding: "utf8" });
  if (ran.status !== 0) throw new Skipped(`a program with ${flags.join(" ")} does not run here: ${ran.stderr.trim()}`);
}

const corpus = (...args) => run(process.execPath, ["build/test/shim/corpus.js", ...args]);

/** The fuzzer's target: the shim's sources before a kernel that is not the real one. */
function buildTarget(directory, compiler, shimFlags, flags, programs) {
  const before = [...FREESTANDING, "-Wno-unused-function", "-include", "test/shim/seam.h"];
  return build(
    directory,
    "target",
    compiler,
    [
      ...SHIM.map((name) => [shim(name), [...before, ...SANITIZED, ...shimFlags]]),
      ...programs.map((name) => [tested(name), ["-O2", "-Wall", "-Wextra", "-Werror", ...SANITIZED]]),
    ],
    [...SANITIZED, ...flags],
  );
}

function buildFuzzer(directory) {
  const clang = findClang();
  requireFuzzer(directory, clang);
  // Counting only the shim's own branches.
  const programs = ["contract", "kernel", "fuzz", "mutate"];
  return buildTarget(directory, clang, ["-fsanitize=fuzzer-no-link"], ["-fsanitize=fuzzer"], programs);
}

function requireFuzzer(directory, clang) {
  const source = { input: "int LLVMFuzzerTestOneInput(const char *d, long n) { return 0 * (int)n * !d; }\n" };
  const flags = [...SANITIZED, "-fsanitize=fuzzer"];
  const { status } = spawnSync(clang, [...flags, "-x", "c", "-", "-o", join(directory, "can")], source);
  if (status !== 0) throw new Skipped(`${clang} has no libFuzzer (Debian: libclang-rt-14-dev)`);
}

function driver(directory, flags, parts) {
  const cc = process.env.CC || "cc";
  const link = flags.filter((flag) => flag.startsWith("-fsanitize"));
  requireSanitizer(directory, cc, link);
  // Children leave stacks without returning, and with them what marks their frames.
  const stacks = isClang(cc) ? ["-mllvm", "-asan-stack=0"] : ["--param", "asan-stack=0"];
  const program = build(
    directory,
    "driver",
    cc,
    [
      ...[...SHIM, "clone"].map((name) => {
        const own = parts === undefined || parts.includes(name) ? [...flags, ...(parts ? [] : stacks)] : [];
        return [shim(name), ["-O1", "-ffreestanding", ...RENAMED, ...own]];
      }),
      ...["driver", "draft", "contract"].map((name) => [
        tested(name),
        ["-O1", "-Wall", "-Wextra", "-Werror", ...flags],
      ]),
    ],
    flags,
  );
  return program;
}

const PARTS = {
  warnings(_, { quick }) {
    const done = [];
    const clang = ["clang-14", "clang"].find(has);
    const cc = process.env.CC || "cc";
    const compilers = quick
      ? [[cc, []]]
      : [
          [cc, []],
          ["aarch64-linux-gnu-gcc", []],
        ];
    for (const target of quick ? [] : ["x86_64", "aarch64"])
      compilers.push([clang ?? "clang", [`--target=${target}-linux-gnu`]]);
    for (const [command, target] of compilers) {
      if (!has(command)) {
        done.push(`no ${command}`);
        continue;
      }
      const clangs = isClang(command);
      const flags = known(command, [...STRICT, ...(clangs ? CLANG : GCC)]);
      for (const file of sources()) run(command, [...target, ...FREESTANDING, ...flags, "-S", "-o", "/dev/null", file]);
      done.push([command, ...target].join(" "));
    }
    if (done.every((text) => text.startsWith("no "))) throw new Skipped("there is no compiler");
    return done.join(", ");
  },

  analyze() {
    const clang = findClang();
    const checkers = "core,deadcode,nullability,security,unix,alpha.core,alpha.security.ArrayBoundV2";
    // It does not see that a raw system call writes to memory, but assumes so of a function elsewhere.
    const elsewhere = ["-include", "test/shim/seam.h"];
    for (const target of ["x86_64", "aarch64"]) {
      const flags = [
        `--target=${target}-linux-gnu`,
        "--analyze",
        "-Xclang",
        `-analyzer-checker=${checkers}`,
        ...elsewhere,
      ];
      for (const file of sources()) {
        const said = run(clang, [...flags, "-Xclang", "-analyzer-werror", ...FREESTANDING, "-o", "/dev/null", file]);
        if (said.includes("warning:")) throw new Error(said);
      }
    }
    return clang;
  },

  driver(directory) {
    const program = driver(directory, SANITIZED);
    corpus("specs", join(directory, "specs"), "2000");
    const said = run(program, [], { timeout: 120_000, stdio: ["ignore", "pipe", "pipe"] });
    return `${said}${run(program, ["--conforms", join(directory, "specs")])}`.trim();
  },

  threads(directory) {
    // Children are no threads: what they run is left as it is.
    const program = driver(directory, ["-g", "-fsanitize=thread"], ["launch", "launcher"]);
    return run(program, [], { timeout: 120_000, stdio: ["ignore", "pipe", "pipe"] }).trim();
  },

  replay(directory) {
    const cc = process.env.CC || "cc";
    requireSanitizer(directory, cc, ["-fsanitize=address,undefined"]);
    const program = buildTarget(directory, cc, [], [], ["contract", "kernel", "fuzz", "replay"]);
    corpus("inputs", join(directory, "inputs"));
    const inputs = readdirSync(join(directory, "inputs"));
    run(
      program,
      inputs.map((name) => join(directory, "inputs", name)),
    );
    return `${inputs.length} inputs`;
  },

  fuzz(directory, { seconds, seed, quick }) {
    const program = buildFuzzer(directory);
    const kept = join(root, ".cache/shim");
    const grown = quick ? join(directory, "corpus") : join(kept, "corpus");
    const inputs = join(directory, "inputs");
    mkdirSync(kept, { recursive: true });
    mkdirSync(grown, { recursive: true });
    corpus("inputs", inputs);
    const flags = [`-max_total_time=${seconds}`, `-seed=${seed}`, "-max_len=8192", "-print_final_stats=1"];
    const said = run(program, [...flags, `-artifact_prefix=${kept}/`, grown, inputs]);
    return said
      .split("\n")
      .filter((line) => /DONE|executed_units/.test(line))
      .join("\n");
  },

  coverage(directory) {
    const clang = findClang();
    const suffix = clang.replace("clang", "");
    if (!has(`llvm-cov${suffix}`)) throw new Skipped(`llvm-cov${suffix} is missing`);
    const profile = ["-fprofile-instr-generate", "-fcoverage-mapping"];
    const program = buildTarget(directory, clang, profile, profile, ["contract", "kernel", "fuzz", "replay"]);
    const raw = join(directory, "raw");
    const folders = [join(directory, "inputs"), join(root, ".cache/shim/corpus")];
    corpus("inputs", folders[0]);
    mkdirSync(folders[1], { recursive: true });
    const inputs = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
    run(program, inputs, { env: { ...process.env, LLVM_PROFILE_FILE: raw } });
    run(`llvm-profdata${suffix}`, ["merge", raw, "-o", join(directory, "merged")]);
    const report = ["report", program, `-instr-profile=${join(directory, "merged")}`];
    return `${inputs.length} inputs\n${run(`llvm-cov${suffix}`, [...report, ...SHIM.map(shim)])}`;
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "0" },
  },
});
const wanted = positionals.length > 0 ? positionals : Object.keys(PARTS);
const unknown = wanted.find((name) => !Object.hasOwn(PARTS, name));
if (unknown !== undefined) {
  console.error(`there is no part "${unknown}"; there are ${Object.keys(PARTS).join(", ")}`);
  process.exit(1);
}
for (const name of wanted) {
  const directory = mkdtempSync(join(tmpdir(), "pidpool-shim-"));
  try {
    console.log(`ok: ${name}: ${PARTS[name](directory, values)}`);
  } catch (error) {
    if (error instanceof Skipped) {
      console.log(`skipped: ${name}: ${error.message}`);
    } else {
      console.log(`not ok: ${name}: ${error.message}`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
