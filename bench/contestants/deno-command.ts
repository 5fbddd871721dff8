// Deno.Command; runs in Deno. A command is made once for a program and spawned
// as often as needed; it inherits the environment.
import { lacking, type Contestant } from "./contestant.ts";

type Stdio = "null" | "piped";

interface Status {
  readonly success: boolean;
  readonly code: number;
}

interface Command {
  spawn(): {
    readonly status: Promise<Status>;
    readonly stdin: WritableStream<Uint8Array>;
    kill(signal: string): void;
  };
  output(): Promise<Status & { readonly stdout: Uint8Array }>;
}

const { Deno } = globalThis as unknown as {
  Deno: {
    Command: new (
      file: string,
      options: { args: readonly string[]; stdin: Stdio; stdout: Stdio; stderr: Stdio },
    ) => Command;
  };
};

function command(file: string, args: readonly string[], stdin: Stdio, stdout: Stdio): Command {
  return new Deno.Command(file, { args, stdin, stdout, stderr: "null" });
}

function check({ success, code }: Status, file: string): void {
  if (!success) throw new Error(`${file} ended with ${code}`);
}

export default function create(): Contestant {
  const commands = new Map<string, Command>();
  const prepared = (file: string): Command => {
    let one = commands.get(file);
    if (one === undefined) commands.set(file, (one = command(file, [], "null", "null")));
    return one;
  };
  return {
    async run(file) {
      check(await prepared(file).spawn().status, file);
    },
    spawn(file, stdin) {
      if (stdin !== undefined) return lacking();
      const child = prepared(file).spawn();
      return Promise.resolve({
        exited: child.status,
        async kill() {
          child.kill("SIGKILL");
          await child.status;
        },
      });
    },
    async capture(file, args) {
      const result = await command(file, args, "null", "piped").output();
      check(result, file);
      return result.stdout.length;
    },
    async feed(file, args, input) {
      const child = command(file, args, "piped", "null").spawn();
      const writer = child.stdin.getWriter();
      await writer.write(input);
      await writer.close();
      check(await child.status, file);
    },
    close: () => Promise.resolve(),
  };
}
