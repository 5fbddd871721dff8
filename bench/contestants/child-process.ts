// What Node has.
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import type { Contestant } from "./contestant.ts";

const execFileAsync = promisify(execFile);

/** A plain copy made once, as a prepared command has it: reading process.env for every child would cost extra. */
const env = { ...process.env };

function start(file: string, stdin?: number): ChildProcess {
  return spawn(file, [], { stdio: [stdin ?? "ignore", "ignore", "ignore"], env });
}

function success(child: ChildProcess, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${file} ended with ${signal ?? code}`));
    });
  });
}

export default function create(): Contestant {
  const kept = new Set<ChildProcess>();
  let closed = false;
  return {
    run: (file) => success(start(file), file),
    async spawn(file, stdin) {
      const child = start(file, stdin);
      await once(child, "spawn");
      const exited = once(child, "exit");
      return {
        exited,
        async kill() {
          child.kill("SIGKILL");
          await exited;
        },
      };
    },
    async capture(file, args) {
      const { stdout } = await execFileAsync(file, args, { env, encoding: "buffer", maxBuffer: Infinity });
      return stdout.length;
    },
    feed(file, args, input) {
      const child = spawn(file, args, { stdio: ["pipe", "ignore", "ignore"], env });
      child.stdin.end(input);
      return success(child, file);
    },
    keep(file, args, count) {
      const begin = (): void => {
        if (closed) return;
        const child = spawn(file, args, { stdio: "ignore", env });
        kept.add(child);
        child.once("exit", () => {
          kept.delete(child);
          begin();
        });
      };
      for (let i = 0; i < count; i++) begin();
      return Promise.resolve();
    },
    close() {
      closed = true;
      for (const child of kept) child.kill("SIGKILL");
      return Promise.resolve();
    },
  };
}
