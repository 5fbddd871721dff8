// What Node has.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Contestant } from "./contestant.ts";

/** A plain copy made once, as a prepared command has it: reading process.env for every child would cost extra. */
const env = { ...process.env };

function start(file: string): ChildProcess {
  return spawn(file, [], { stdio: "ignore", env });
}

export default function create(): Contestant {
  return {
    run: (file) =>
      new Promise((resolve, reject) => {
        const child = start(file);
        child.once("error", reject);
        child.once("exit", (code, signal) => {
          if (code === 0) resolve();
          else reject(new Error(`${file} ended with ${signal ?? code}`));
        });
      }),
    async spawn(file) {
      const child = start(file);
      await once(child, "spawn");
      const exited = once(child, "exit");
      return {
        async kill() {
          child.kill("SIGKILL");
          await exited;
        },
      };
    },
    close: () => Promise.resolve(),
  };
}
