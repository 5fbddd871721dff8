// Compiles the C program that shows what the kernel alone costs.
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../root.ts";
import type { User } from "../user.ts";

/** Runs the program with these arguments, as somebody else if told so; what it printed. See floor.h. */
export type FloorProgram = (args: readonly (string | number)[], user?: User) => Promise<string>;

/** Compiles the floor into a directory that goes when this process does. */
export function compileFloor(): FloorProgram {
  const directory = mkdtempSync(join(tmpdir(), "pidpool-floor-"));
  chmodSync(directory, 0o755);
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, "floor");
  const folder = join(ROOT, "bench/floors");
  const sources = readdirSync(folder).filter((name) => name.endsWith(".c"));
  execFileSync(process.env["CC"] ?? "cc", ["-O2", "-pthread", "-o", program, ...sources], {
    cwd: folder,
    stdio: "inherit",
  });
  const run = promisify(execFile);
  return async (args, user = {}) => (await run(program, args.map(String), user)).stdout;
}
