// Node, Bun and Deno of other versions and C libraries, from npm's packages. They are kept in .cache/environments;
// remove that folder to fetch newer ones.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "../test-files.mjs";
import { Unavailable } from "./programs.mjs";

const cache = join(root, ".cache/environments");

/** Installs a package on its own, once; answers the path of a file in it. */
function installed(name, spec, file) {
  const prefix = join(cache, name);
  const path = join(prefix, "node_modules", spec.replace(/(?<=.)@[^@]*$/, ""), file);
  if (existsSync(path)) return path;
  mkdirSync(prefix, { recursive: true });
  // Forced: a package for musl is refused where npm runs on glibc.
  const args = ["install", "--prefix", prefix, "--force", "--no-audit", "--no-fund", "--no-save", spec];
  const { error, status, stderr } = spawnSync("npm", args, { encoding: "utf8", cwd: prefix });
  if (error !== undefined) throw new Unavailable(`npm does not run: ${error.message}`);
  if (status !== 0 || !existsSync(path)) {
    const reason = stderr.split("\n").find((line) => /npm error/.test(line)) ?? "";
    throw new Unavailable(`npm cannot install ${spec}${reason && `: ${reason}`}`);
  }
  return path;
}

/** Path of the newest Node of a major version; this one where it fits. */
export function nodeOf(major) {
  if (process.versions.node.split(".")[0] === String(major)) return process.execPath;
  return installed(`node-${major}`, `node-linux-${process.arch}@${major}`, "bin/node");
}

const BUN_ARCH = { x64: "x64", arm64: "aarch64" };

export function bun() {
  const arch = BUN_ARCH[process.arch];
  return installed("bun", `@oven/bun-linux-${arch}@1`, "bin/bun");
}

export function bunForMusl() {
  const arch = BUN_ARCH[process.arch];
  return installed("bun-musl", `@oven/bun-linux-${arch}-musl@1`, "bin/bun");
}

export function deno() {
  return installed("deno", `@deno/linux-${process.arch}-glibc@2`, "deno");
}
