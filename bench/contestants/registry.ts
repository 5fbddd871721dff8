// Who can take part. Each runs in a process of its own that speaks the protocol
// of runner/protocol.ts; one that is no Node module brings a runner of its own.
import { join } from "node:path";
import { ROOT } from "../root.ts";

/** How a contestant's runner is started. */
export interface Entry {
  readonly file: string;
  readonly args: readonly string[];
}

/** Room for the scenarios that fill the heap; the same for all. */
const HEAP = "--max-old-space-size=4096";

function inNode(module: string): Entry {
  return { file: process.execPath, args: [HEAP, join(ROOT, "build/bench/runner/main.js"), module] };
}

/** Who there is. */
export type ContestantName = "child_process" | "pidpool";

/** By name. */
export const CONTESTANTS: Readonly<Record<ContestantName, Entry>> = {
  child_process: inNode("child-process"),
  pidpool: inNode("pidpool"),
};
