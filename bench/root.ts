// Where the checkout is, seen from build/bench.
import { fileURLToPath } from "node:url";

/** The checkout's root. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));
