// Copies of options that are kept: what the caller changes later is not ours.
import type { LaunchOptions } from "./options.ts";

/** Options whose value is a list or a bag. */
const COMPOUND = ["groups", "limits", "filesystem", "tcp", "isolation", "seccomp", "notify"] as const;

/** Replaces lists and bags in `options`, whose values have been checked, by copies. */
export function snapshot(options: LaunchOptions): void {
  const copies: Record<string, unknown> = {};
  for (const key of COMPOUND) if (options[key] !== undefined) copies[key] = copy(options[key]);
  Object.assign(options, copies);
}

/** Lists and bags, however deep; all else, such as a URL, as it is. */
function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== "object" || value === null || value instanceof URL) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copy(entry)]));
}
