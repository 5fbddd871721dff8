// Compiles the programs that a soak starts, for as long as this process lives.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileChildren } from "../../bench/children.ts";
import { compileInto } from "../helpers/compile.ts";
import type { Programs } from "./kinds.ts";

/** @throws Error where there is no compiler. */
export function compilePrograms(): Programs {
  const directory = mkdtempSync(join(tmpdir(), "pidpool-soak-"));
  chmodSync(directory, 0o755);
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const speak = compileInto(directory, "speak");
  if (speak.unavailable !== false) throw new Error(speak.unavailable);
  return { children: compileChildren(), speak: speak.file };
}
