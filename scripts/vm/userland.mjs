// What the programs of a VM come from: this machine, or for another
// architecture than its own Debian's packages and npm's, unpacked.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchModules, fetchNode, fetchPrograms } from "./fetch.mjs";

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where programs are, in every userland. */
export const FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/** The flags of programs in C for tests. */
const C_FLAGS = ["-O1", "-Wall"];

/**
 * @typedef {object} Userland
 * @property {string} root of the paths in it
 * @property {string} node path on this machine
 * @property {string} modules path on this machine of the folder that has node_modules
 * @property {(file: string) => string[]} libraries paths in it of what a program or native addon, by its path on this machine, needs
 * @property {(source: string, output: string, flags: string[]) => string | false} compile compiles a program in C; why it is none, if so
 */

/** Why a compiler failed, in a line. */
function complaint(command, { error, status, stderr }) {
  if (error !== undefined) return `${command} is missing (${error.message})`;
  return status === 0 ? false : `${command} failed: ${String(stderr).trim().split("\n")[0]}`;
}

/** @returns {Userland} */
export function ownUserland() {
  return {
    root: "/",
    node: realpathSync(process.execPath),
    modules: checkout,
    libraries(file) {
      let libraries = "";
      try {
        libraries = execFileSync("ldd", [file], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      } catch {
        // A script, or a static program.
      }
      return [...libraries.matchAll(/(?:=>|^)\s*(\/\S+)/gm)].map(([, library]) => library);
    },
    compile: (source, output, flags) => complaint("cc", spawnSync("cc", [...C_FLAGS, ...flags, "-o", output, source])),
  };
}

/** Names of the libraries that a file says it needs, and the folders that it says they are in. */
function dynamicSection(file) {
  const { stdout } = spawnSync("readelf", ["--dynamic", "--wide", file], { encoding: "utf8" });
  const values = (tag) => [...stdout.matchAll(new RegExp(`\\(${tag}\\).*\\[(.*)\\]`, "g"))].map(([, value]) => value);
  return {
    needed: values("NEEDED"),
    folders: [...values("RUNPATH"), ...values("RPATH")]
      .flatMap((path) => path.split(":"))
      .filter((path) => path.startsWith("/")),
  };
}

/**
 * @param {string} name of the architecture, as Node calls it
 * @param {import("./arch.mjs").Arch} arch
 * @param {string[]} programs
 * @returns {Userland}
 */
export function foreignUserland(name, arch, programs) {
  const root = fetchPrograms(arch, programs);
  const usual = [`/usr/lib/${arch.triple}`, "/usr/lib"];
  return {
    root,
    node: fetchNode(name),
    modules: fetchModules(name),
    libraries(file) {
      const found = new Set([arch.loader]);
      const add = (binary) => {
        const { needed, folders } = dynamicSection(binary);
        for (const library of needed) {
          const path = [...folders, ...usual]
            .map((folder) => join(folder, library))
            .find((at) => existsSync(join(root, at)));
          if (path === undefined || found.has(path)) continue;
          found.add(path);
          add(join(root, path));
        }
      };
      add(file);
      return [...found];
    },
    compile(source, output, flags) {
      const clang =
        ["clang-14", "clang"].find((command) => spawnSync(command, ["--version"]).status === 0) ?? "clang-14";
      const target = [`--target=${arch.triple}`, `--sysroot=${root}`, "-fuse-ld=lld"];
      return complaint(clang, spawnSync(clang, [...target, ...C_FLAGS, ...flags, "-o", output, source]));
    },
  };
}

/** Every file below a folder whose name ends so. */
export function filesBelow(folder, ending) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());
}
