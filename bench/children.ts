// The programs that benchmarks start, compiled for the occasion.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./root.ts";

const FLAGS = [
  "-O2",
  "-static",
  "-nostdlib",
  "-ffreestanding",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-s",
  "-Wl,-z,noexecstack,--build-id=none",
];

/** Paths of the compiled children. */
export interface Children {
  /** Exits at once with code 0. */
  readonly nop: string;
  /** Writes as many bytes as its argument says. */
  readonly emit: string;
  /** Waits until its stdin ends, or its parent has ended, and exits with code 0. */
  readonly hold: string;
  /** Appends its pid and time of start to the file that its argument names, and lives until it is killed. */
  readonly serve: string;
  /** Reads its stdin to the end, as fast as it comes. */
  readonly swallow: string;
}

/** Compiles the children into a directory that goes when this process does. */
export function compileChildren(): Children {
  const directory = mkdtempSync(join(tmpdir(), "pidpool-bench-"));
  // Contestants need not be the user who compiles.
  chmodSync(directory, 0o755);
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const compile = (name: string): string => {
    const output = join(directory, name);
    execFileSync(process.env["CC"] ?? "cc", [...FLAGS, "-o", output, join(ROOT, "bench/children", `${name}.c`)], {
      stdio: "inherit",
    });
    return output;
  };
  return {
    nop: compile("nop"),
    emit: compile("emit"),
    hold: compile("hold"),
    serve: compile("serve"),
    swallow: compile("swallow"),
  };
}
