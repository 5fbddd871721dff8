// What the figures were measured on, without saying whose it is.
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
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
    kernel: release(),
    transparentHugePages: /\[(\w+)\]/.exec(pages)?.[1] ?? "unknown",
    load: loadavg()[0] ?? NaN,
    versions: {
      node: process.versions.node,
      v8: process.versions.v8,
      uv: process.versions.uv,
      pidpool: packageVersion("package.json"),
      koffi: packageVersion("node_modules/koffi/package.json"),
      piscina: packageVersion("node_modules/piscina/package.json"),
    },
  };
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
