// Writes src/process/seccomp/numbers-x64.ts and numbers-arm64.ts from the
// kernel's uapi headers, as the C preprocessor reads them:
//
//   node scripts/syscall-tables.mjs [--check] [folder of the headers, /usr/include by default]
//
// The folder is one that `make headers_install` or a distribution's package
// makes. --check writes nothing and fails where headers contradict the tables;
// headers of a newer kernel may have more. Exit code 2: there are no headers.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes("--check");
const include = process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? "/usr/include";

/** System calls that headers older than the kernel of each line lack. Where the headers have one, they must agree. */
const YOUNGER = {
  common: {
    epoll_pwait2: 441, // 5.11
    mount_setattr: 442, // 5.12
    quotactl_fd: 443, // 5.14
    landlock_create_ruleset: 444, // 5.13
    landlock_add_rule: 445,
    landlock_restrict_self: 446,
    memfd_secret: 447, // 5.14
    process_mrelease: 448, // 5.15
    futex_waitv: 449, // 5.16
    set_mempolicy_home_node: 450, // 5.17
    cachestat: 451, // 6.5
    fchmodat2: 452, // 6.6
    map_shadow_stack: 453, // 6.6 on x64, 6.13 on arm64
    futex_wake: 454, // 6.7
    futex_wait: 455,
    futex_requeue: 456,
    statmount: 457, // 6.8
    listmount: 458,
    lsm_get_self_attr: 459,
    lsm_set_self_attr: 460,
    lsm_list_modules: 461,
    mseal: 462, // 6.10
    setxattrat: 463, // 6.13
    getxattrat: 464,
    listxattrat: 465,
    removexattrat: 466,
    open_tree_attr: 467, // 6.15
    file_getattr: 468, // 6.17
    file_setattr: 469,
    listns: 470, // 6.19
  },
  x64: {
    uretprobe: 335, // 6.11
    uprobe: 336, // 6.18
  },
  arm64: {},
};

/** What includes each architecture's numbers; arm64's are the generic ones and those that its own header asks for. */
const SOURCES = {
  x64: `#include "${firstOf("x86_64-linux-gnu/asm/unistd_64.h", "asm/unistd_64.h")}"\n`,
  arm64: [
    ...["RENAMEAT", "NEW_STAT", "SET_GET_RLIMIT", "SYS_CLONE3", "MEMFD_SECRET"].map(
      (wish) => `#define __ARCH_WANT_${wish}`,
    ),
    // bitsperlong.h of whatever machine this runs on.
    "#define __BITS_PER_LONG 64",
    "#define _ASM_GENERIC_BITS_PER_LONG",
    "#define _UAPI__ASM_GENERIC_BITS_PER_LONG",
    `#include "${firstOf("asm-generic/unistd.h")}"\n`,
  ].join("\n"),
};

/** read(2), by which a header is known: arm64 machines have an asm/unistd_64.h too. */
const READ = { x64: 0, arm64: 63 };

let wrong = 0;
for (const arch of ["x64", "arm64"]) {
  const table = numbers(SOURCES[arch]);
  if (table.get("read") !== READ[arch]) stop(`the headers in ${include} are not those of ${arch}`);
  for (const [name, nr] of Object.entries({ ...YOUNGER.common, ...YOUNGER[arch] })) {
    const known = table.get(name);
    if (known !== undefined && known !== nr) throw new Error(`${name} is ${known} in the headers, not ${nr}`);
    table.set(name, nr);
  }
  const file = join(root, `src/process/seccomp/numbers-${arch}.ts`);
  if (check) {
    const present = readFileSync(file, "utf8");
    for (const name of table.keys()) if (!present.includes(`  ${name}: `)) table.delete(name);
    if (present === render(arch, table)) continue;
    console.error(`${file} is not what the headers in ${include} give; run scripts/syscall-tables.mjs`);
    wrong++;
  } else writeFileSync(file, render(arch, table));
}
process.exitCode = wrong === 0 ? 0 : 1;

function firstOf(...paths) {
  const found = paths.map((path) => join(include, path)).find((path) => existsSync(path));
  return found ?? stop(`no ${paths.join(" or ")} in ${include}`);
}

function stop(why) {
  console.error(why);
  process.exit(2);
}

/** The `__NR_` macros that are left as numbers, or as names of other such macros. */
function numbers(source) {
  const macros = new Map();
  const output = execFileSync(process.env.CC ?? "cc", ["-E", "-dM", "-I", include, "-"], {
    input: source,
    encoding: "utf8",
  });
  for (const [, name, value] of output.matchAll(/^#define (__NR\w+) (\w+)$/gm)) macros.set(name, value);
  const table = new Map();
  for (const [macro, value] of macros) {
    const name = /^__NR_(\w+)$/.exec(macro)?.[1];
    const nr = Number(macros.get(value) ?? value);
    // The two that are not system calls: a bound, and where an architecture's own numbers begin.
    if (name === undefined || name === "syscalls" || name === "arch_specific_syscall") continue;
    if (!Number.isInteger(nr)) throw new Error(`${macro} is ${value}, which is no number`);
    table.set(name, nr);
  }
  return table;
}

function render(arch, table) {
  const rows = [...table].toSorted(([, a], [, b]) => a - b).map(([name, nr]) => `  ${name}: ${nr},`);
  return `// Numbers of all system calls on ${arch}, up to Linux 6.19. Generated by scripts/syscall-tables.mjs.

export const NUMBERS_${arch.toUpperCase()}: Readonly<Record<string, number>> = {
${rows.join("\n")}
};
`;
}
