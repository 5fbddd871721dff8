// Which built test files there are.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Those with one of these parts in their path, or all; never those of test/vm, which need a virtual machine. */
export function testFiles(parts) {
  return readdirSync(join(root, "build/test"), { recursive: true })
    .filter((name) => name.endsWith(".test.js") && !name.startsWith("vm/"))
    .filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))
    .map((name) => join("build/test", name))
    .toSorted();
}
