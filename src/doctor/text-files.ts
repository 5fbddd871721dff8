// Small files of /proc and /sys, which may be missing or forbidden.
import { readFileSync } from "node:fs";

/** The file's text, or undefined where it cannot be read. */
export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}

/** The lines of a file, without empty ones; none where it cannot be read. */
export function linesOf(file: string): readonly string[] {
  return (textOf(file) ?? "").split("\n").filter((line) => line !== "");
}

/** The words of a file; none where it cannot be read. */
export function wordsOf(file: string): readonly string[] {
  return (textOf(file) ?? "").split(/\s+/).filter((word) => word !== "");
}

/** The number that a file holds. */
export function numberIn(file: string): number | undefined {
  const text = textOf(file)?.trim();
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}
