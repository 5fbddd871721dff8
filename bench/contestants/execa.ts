// execa, with its documented options for least work: no environment merged for
// every child, nothing buffered where nothing is read.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { importPeer } from "../peers/peers.ts";
import type { Contestant } from "./contestant.ts";

interface Options {
  readonly stdio?: readonly ("ignore" | "pipe" | number)[];
  readonly env?: NodeJS.ProcessEnv;
  readonly extendEnv?: boolean;
  readonly encoding?: "buffer";
  readonly maxBuffer?: number;
  readonly input?: Uint8Array;
  readonly reject?: boolean;
}

type Subprocess = ChildProcess & Promise<{ readonly stdout?: Uint8Array }>;

const { execa } = (await importPeer("execa")) as {
  readonly execa: (file: string, args: readonly string[], options: Options) => Subprocess;
};

const common: Options = { env: { ...process.env }, extendEnv: false };
const ignored: Options = { ...common, stdio: ["ignore", "ignore", "ignore"] };

export default function create(): Contestant {
  return {
    async run(file) {
      await execa(file, [], ignored);
    },
    async spawn(file, stdin) {
      const child = execa(file, [], { ...common, stdio: [stdin ?? "ignore", "ignore", "ignore"], reject: false });
      await once(child, "spawn");
      return {
        exited: child,
        async kill() {
          child.kill("SIGKILL");
          await child;
        },
      };
    },
    async capture(file, args) {
      const { stdout } = await execa(file, args, {
        ...common,
        stdio: ["ignore", "pipe", "ignore"],
        encoding: "buffer",
        maxBuffer: Infinity,
      });
      return stdout?.length ?? 0;
    },
    async feed(file, args, input) {
      await execa(file, args, { ...common, stdio: ["pipe", "ignore", "ignore"], input });
    },
    close: () => Promise.resolve(),
  };
}
