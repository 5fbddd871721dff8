// What the figures were measured on, without saying whose it is.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { bwrapVersion } from "./contestants/bwrap.ts";
import { goVersion } from "./contestants/go.ts";
import { bun, deno, newestNode, NOT_INSTALLED, peerVersion } from "./peers/peers.ts";
import { ROOT } from "./root.ts";

/** Goes with every result. No host name, user or path. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly arch: string;
  readonly kernel: string;
  readonly transparentHugePages: string;
  /** Of the last minute, when the benchmark began. */
  readonly load: number;
  /** Also of what is missing: then it says so. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  const pages = readOr("/sys/kernel/mm/transparent_hugepage/enabled", "");
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    arch: process.arch,
    kernel: /^[\d.]+/.exec(release())?.[0] ?? release(),
    transparentHugePages: /\[(\w+)\]/.exec(pages)?.[1] ?? "unknown",
    load: loadavg()[0] ?? NaN,
    versions: {
      node: process.versions.node,
      v8: process.versions.v8,
      libuv: process.versions.uv,
      pidpool: packageVersion("package.json"),
      koffi: packageVersion("node_modules/koffi/package.json"),
      piscina: packageVersion("node_modules/piscina/package.json"),
      "newest node": newestNode.version ?? NOT_INSTALLED,
      bun: bun.version ?? NOT_INSTALLED,
      deno: deno.version ?? NOT_INSTALLED,
      go: goVersion() ?? "not found",
      bwrap: bwrapVersion() ?? "not found",
      execa: peerVersion("execa") ?? NOT_INSTALLED,
      tinyexec: peerVersion("tinyexec") ?? NOT_INSTALLED,
      "nano-spawn": peerVersion("nano-spawn") ?? NOT_INSTALLED,
      pm2: peerVersion("pm2") ?? NOT_INSTALLED,
      cc: compilerVersion(),
    },
  };
}

function compilerVersion(): string {
  const { stdout } = spawnSync(process.env["CC"] ?? "cc", ["--version"], { encoding: "utf8" });
  return stdout?.split("\n", 1)[0] ?? "not found";
}

function packageVersion(file: string): string {
  const text = readOr(join(ROOT, file), "{}");
  return (JSON.parse(text) as { version?: string }).version ?? "unknown";
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}
