// Bun.spawn; runs in Bun.
import type { Contestant } from "./contestant.ts";

type Stdio = "ignore" | "pipe" | number | Uint8Array;

interface Subprocess {
  /** The exit code; 128 and the signal's number after a signal. */
  readonly exited: Promise<number>;
  readonly stdout: ReadableStream<Uint8Array> & { bytes(): Promise<Uint8Array> };
  kill(signal: string): void;
}

const { Bun } = globalThis as unknown as {
  Bun: { spawn(command: readonly string[], options: { stdio: readonly Stdio[]; env: NodeJS.ProcessEnv }): Subprocess };
};

const env = { ...process.env };
const ignored = { stdio: ["ignore", "ignore", "ignore"], env } as const;

async function success(child: Subprocess, file: string): Promise<void> {
  const code = await child.exited;
  if (code !== 0) throw new Error(`${file} ended with ${code}`);
}

export default function create(): Contestant {
  return {
    run: (file) => success(Bun.spawn([file], ignored), file),
    spawn(file, stdin) {
      const child = Bun.spawn([file], stdin === undefined ? ignored : { stdio: [stdin, "ignore", "ignore"], env });
      return Promise.resolve({
        exited: child.exited,
        async kill() {
          child.kill("SIGKILL");
          await child.exited;
        },
      });
    },
    async capture(file, args) {
      const child = Bun.spawn([file, ...args], { stdio: ["ignore", "pipe", "ignore"], env });
      const output = await child.stdout.bytes();
      await success(child, file);
      return output.length;
    },
    feed: (file, args, input) => success(Bun.spawn([file, ...args], { stdio: [input, "ignore", "ignore"], env }), file),
    close: () => Promise.resolve(),
  };
}
