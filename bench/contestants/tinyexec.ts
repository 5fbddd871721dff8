// tinyexec. It merges process.env for every child, whatever it is given, and
// output is text.
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { importPeer } from "../peers/peers.ts";
import type { Contestant } from "./contestant.ts";

interface Options {
  readonly throwOnError?: boolean;
  readonly nodePath?: boolean;
  readonly nodeOptions?: SpawnOptions;
}

type Subprocess = PromiseLike<{ readonly stdout: string }> & { readonly process: ChildProcess | undefined };

const { x } = (await importPeer("tinyexec")) as {
  readonly x: (file: string, args: readonly string[], options: Options) => Subprocess;
};

function options(stdin: "ignore" | "pipe" | number, stdout: "ignore" | "pipe", throwOnError = true): Options {
  return { throwOnError, nodePath: false, nodeOptions: { stdio: [stdin, stdout, "ignore"] } };
}

const ignored = options("ignore", "ignore");

export default function create(): Contestant {
  return {
    async run(file) {
      await x(file, [], ignored);
    },
    async spawn(file, stdin) {
      const child = x(file, [], options(stdin ?? "ignore", "ignore", false));
      if (child.process !== undefined) await once(child.process, "spawn");
      const exited = Promise.resolve(child);
      return {
        exited,
        async kill() {
          child.process?.kill("SIGKILL");
          await exited;
        },
      };
    },
    async capture(file, args) {
      const { stdout } = await x(file, args, options("ignore", "pipe"));
      return Buffer.byteLength(stdout);
    },
    async feed(file, args, input) {
      const child = x(file, args, options("pipe", "ignore"));
      child.process?.stdin?.end(input);
      await child;
    },
    close: () => Promise.resolve(),
  };
}
