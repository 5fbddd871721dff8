// The two sides: the same helpers on the same file, once by pidpool and once by
// node:child_process. Both feed the file as stdin and collect all output.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { ProcessPool } from "pidpool";

/** What came of one file. */
export interface Outcome {
  readonly sha256: string;
  readonly compressed: Buffer;
}

/** A way to start helpers. */
export interface Side {
  readonly name: string;
  process(file: string): Promise<Outcome>;
  close(): Promise<void>;
}

const GZIP = ["-c", "-n"];

/** This package. */
export function pidpoolSide(concurrency: number): Side {
  const pool = new ProcessPool({ concurrency });
  const sha256sum = pool.command("sha256sum");
  const gzip = pool.command("gzip", GZIP, { encoding: "buffer" });
  return {
    name: "pidpool",
    async process(file) {
      const input = { file };
      const [hash, compressed] = await Promise.all([sha256sum.run({ input }), gzip.run({ input })]);
      return { sha256: hash.stdout.slice(0, 64), compressed: compressed.stdout };
    },
    close: () => pool.close(),
  };
}

/** What Node has. */
export function childProcessSide(): Side {
  return {
    name: "child_process",
    async process(file) {
      const [hash, compressed] = await Promise.all([collect("sha256sum", [], file), collect("gzip", GZIP, file)]);
      return { sha256: hash.toString("latin1", 0, 64), compressed };
    },
    close: () => Promise.resolve(),
  };
}

function collect(program: string, args: readonly string[], file: string): Promise<Buffer> {
  const stdin = openSync(file, "r");
  const child = spawn(program, args, { stdio: [stdin, "pipe", "pipe"] });
  closeSync(stdin);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(Buffer.concat(stdout));
      else reject(new Error(`${program} on ${file} ended with ${signal ?? code}: ${Buffer.concat(stderr).toString()}`));
    });
  });
}
