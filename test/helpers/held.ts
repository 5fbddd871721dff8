// Runs that last exactly until the test says so.
import { PassThrough } from "node:stream";
import type { ProcessPool, RunResult } from "pidpool";

/** A `cat` whose input stays open until {@link release}. */
export interface Held {
  readonly run: Promise<RunResult<string, string>>;
  readonly release: () => void;
}

/** Starts one; `name` comes back as its output. */
export function hold(pool: ProcessPool, name = "held"): Held {
  const input = new PassThrough();
  input.write(name);
  return { run: pool.run("cat", [], { input, argv0: name }), release: () => input.end() };
}
