// Copies of options that are kept: what the caller changes later is not ours.
import type { LaunchOptions } from "./options.ts";

/** Options whose value is a list, or a bag of values and lists. */
const COMPOUND = ["groups", "limits", "filesystem", "tcp"] as const;

/** Replaces lists and bags in `options`, whose values have been checked, by copies. */
export function snapshot(options: LaunchOptions): void {
  const copies: Record<string, unknown> = {};
  for (const key of COMPOUND) if (options[key] !== undefined) copies[key] = copy(options[key]);
  Object.assign(options, copies);
}

function copy(value: object): object {
  if (Array.isArray(value)) return Array.from(value as unknown[]);
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]: [string, unknown]) => [
      key,
      Array.isArray(entry) ? Array.from(entry as unknown[]) : entry,
    ]),
  );
}
