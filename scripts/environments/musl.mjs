// A runtime that is linked with musl, as on Alpine: Bun, since npm has no such Node. It needs musl's loader and compiler
// (Debian: musl-tools). The libstdc++ that it wants too is this machine's, which is glibc's: the few names that those
// share are in test/environments/glibc-names.c.
import { copyFileSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { root } from "../test-files.mjs";
import { attempt, Unavailable } from "./programs.mjs";
import { bunForMusl } from "./runtimes.mjs";

const LOADERS = { x64: "/lib/ld-musl-x86_64.so.1", arm64: "/lib/ld-musl-aarch64.so.1" };
const GLIBC_LOADERS = { x64: "ld-linux-x86-64.so.2", arm64: "ld-linux-aarch64.so.1" };

/** A library of this machine, as its compiler finds it. */
function library(name) {
  const path = attempt("cc", [`-print-file-name=${name}`]).trim();
  if (!existsSync(path)) throw new Unavailable(`${name} is not installed`);
  return realpathSync(path);
}

export function musl() {
  const loader = LOADERS[process.arch];
  if (!existsSync(loader)) throw new Unavailable(`${loader} is missing (Debian: apt-get install musl-tools)`);
  const folder = join(root, ".cache/environments/musl");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["libstdc++.so.6", "libgcc_s.so.1"]) copyFileSync(library(name), join(folder, name));
  symlinkSync(loader, join(folder, GLIBC_LOADERS[process.arch]));
  const names = join(folder, "libglibc-names.so");
  attempt("musl-gcc", ["-shared", "-fPIC", "-O2", "-Wall", "-o", names, join(root, "test/environments/glibc-names.c")]);
  const environment = { command: [bunForMusl()], env: { LD_LIBRARY_PATH: folder, LD_PRELOAD: names } };
  attempt(environment.command[0], ["--version"], { env: { ...process.env, ...environment.env } });
  return environment;
}
