// Runs a program from test/fixtures in a Node of its own, by child_process:
// what it tests must not depend on what it is tested with.
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a fixture ended. */
export interface FixtureResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A fixture that runs. */
export interface Fixture {
  readonly process: ChildProcess;
  /** Resolves with the next line on stdout. */
  line(): Promise<string>;
  readonly ended: Promise<FixtureResult>;
}

/** Path of a built fixture. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));
}

/** Starts a fixture. `wrap` is put before the command, as in ["prlimit", "--nofile=64"]. */
export function startFixture(name: string, args: readonly string[] = [], wrap: readonly string[] = []): Fixture {
  const [file = process.execPath, ...rest] = [
    ...wrap,
    process.execPath,
    "--enable-source-maps",
    fixturePath(name),
    ...args,
  ];
  // With it, a node:test in the fixture would write for our runner, not for us.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(file, rest, { env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let taken = 0;
  const waiting: (() => void)[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const wake of waiting.splice(0)) wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<FixtureResult>((resolve) => {
    child.on("close", (code, signal) => {
      for (const wake of waiting.splice(0)) wake();
      resolve({ code, signal, stdout, stderr });
    });
  });
  return {
    process: child,
    ended,
    async line() {
      for (;;) {
        const end = stdout.indexOf("\n", taken);
        if (end >= 0) {
          const line = stdout.slice(taken, end);
          taken = end + 1;
          return line;
        }
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the fixture ended: ${stderr}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}
