// Go's os/exec: a runner in Go, built with the toolchain of this machine.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../root.ts";

/** The toolchain's version; undefined where there is none. */
export function goVersion(): string | undefined {
  const { status, stdout } = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
  return status === 0 ? stdout.trim().replace(/^go/, "") : undefined;
}

let built: string | undefined;

/** Builds the runner once, into a directory that goes when this process does. Returns the program. */
export function buildGoRunner(): string {
  if (built === undefined) {
    const directory = mkdtempSync(join(tmpdir(), "pidpool-go-"));
    process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
    const program = join(directory, "runner");
    execFileSync("go", ["build", "-o", program, "."], { cwd: join(ROOT, "bench/contestants/go"), stdio: "inherit" });
    built = program;
  }
  return built;
}
