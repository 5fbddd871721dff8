// nano-spawn. Whatever environment it is given, it merges process.env with for
// every child, so it is given none; output is text without its last newline.
import type { ChildProcess } from "node:child_process";
import { importPeer } from "../peers/peers.ts";
import type { Contestant } from "./contestant.ts";

interface Options {
  readonly stdin: "ignore" | "pipe" | number;
  readonly stdout: "ignore" | "pipe";
  readonly stderr: "ignore";
}

type Subprocess = Promise<{ readonly stdout: string }> & { readonly nodeChildProcess: Promise<ChildProcess> };

const { default: spawn } = (await importPeer("nano-spawn")) as {
  readonly default: (file: string, args: readonly string[], options: Options) => Subprocess;
};

const ignored: Options = { stdin: "ignore", stdout: "ignore", stderr: "ignore" };

export default function create(): Contestant {
  return {
    async run(file) {
      await spawn(file, [], ignored);
    },
    async spawn(file, stdin) {
      const child = spawn(file, [], { ...ignored, stdin: stdin ?? "ignore" });
      // It rejects when the child is killed.
      const exited = child.catch(() => undefined);
      const { nodeChildProcess } = child;
      await nodeChildProcess;
      return {
        exited,
        async kill() {
          (await nodeChildProcess).kill("SIGKILL");
          await exited;
        },
      };
    },
    async capture(file, args) {
      const { stdout } = await spawn(file, args, { ...ignored, stdout: "pipe" });
      return Buffer.byteLength(stdout);
    },
    async feed(file, args, input) {
      const child = spawn(file, args, { ...ignored, stdin: "pipe" });
      (await child.nodeChildProcess).stdin?.end(input);
      await child;
    },
    close: () => Promise.resolve(),
  };
}
