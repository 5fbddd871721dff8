// Reading and writing the files of cgroup v2. Never synchronously: the kernel's
// lock around all cgroups can be held for long.
import { constants } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";

/** What Node's errors of system calls carry. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** The file's text; undefined where the file, or its group, is not there (any more). */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const errno = errnoOf(error);
    // ENODEV: the group was removed after the open.
    if (errno === "ENOENT" || errno === "ENODEV") return undefined;
    throw error;
  }
}

/** One write(2), without O_CREAT, to which a file that is missing would say EACCES, and without reading, which cgroup.kill refuses. */
export async function writeValue(file: string, value: string): Promise<void> {
  await writeFile(file, value, { flag: constants.O_WRONLY });
}

/** The words of a list such as cgroup.controllers. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** "Flat keyed" files: `key value` lines, numbers only. */
export function flatKeyed(text: string): ReadonlyMap<string, number> {
  const map = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [key, value] = line.split(" ");
    if (key !== undefined && value !== undefined && /^\d+$/.test(value)) map.set(key, Number(value));
  }
  return map;
}
