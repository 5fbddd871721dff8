// Compiles and runs the C program that shows what the kernel alone costs.
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../root.ts";

/** How the floor launches and reaps; see floor.c. */
export type FloorMode = "wait4" | "pidfd" | "files";

/** Runs the floor once; µs a child. */
export type Floor = (
  mode: FloorMode,
  threads: number,
  inFlight: number,
  launches: number,
  file: string,
) => Promise<number>;

/** Compiles the floor into a directory that goes when this process does. */
export function compileFloor(): Floor {
  const directory = mkdtempSync(join(tmpdir(), "pidpool-floor-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, "floor");
  const source = join(ROOT, "bench/floors/floor.c");
  execFileSync(process.env["CC"] ?? "cc", ["-O2", "-pthread", "-o", program, source], { stdio: "inherit" });
  const run = promisify(execFile);
  return async (mode, threads, inFlight, launches, file) => {
    const { stdout } = await run(program, [mode, threads, inFlight, launches, file].map(String));
    return Number(stdout);
  };
}
