// Kernel settings and other small files of /proc and /sys, which may be missing
// or forbidden, and of which none can be read when fds have run out.
import { readFileSync } from "node:fs";

/** What the file holds; undefined where it cannot be read. */
export function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}

/** The number that a file begins with; undefined where it cannot be read, or holds none, such as "max". */
export function numberOf(file: string): number | undefined {
  const digits = /^\s*(\d+)/.exec(contentOf(file) ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** What sysctl(8) calls by this name. */
export function sysctl(name: string): string | undefined {
  return contentOf(sysctlFile(name))?.trim();
}

/** The same, where it is a number. */
export function sysctlNumber(name: string): number | undefined {
  return numberOf(sysctlFile(name));
}

function sysctlFile(name: string): string {
  return `/proc/sys/${name.replaceAll(".", "/")}`;
}
