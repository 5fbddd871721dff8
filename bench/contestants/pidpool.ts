// This package. How many children are in flight is up to the runner, so the
// pool's own bound is out of the way.
import { ProcessPool, type Command } from "pidpool";
import type { Contestant } from "./contestant.ts";

export default function create(): Contestant {
  const pool = new ProcessPool({ threads: 2, concurrency: 1 << 16, isolation: "none" });
  const commands = new Map<string, Command<"ignore">>();
  const command = (file: string): Command<"ignore"> => {
    let prepared = commands.get(file);
    if (prepared === undefined) commands.set(file, (prepared = pool.command(file, [], { stdio: "ignore" })));
    return prepared;
  };
  return {
    async run(file) {
      await command(file).run();
    },
    async spawn(file) {
      const child = await command(file).spawn();
      return {
        async kill() {
          child.kill("SIGKILL");
          await child.exited;
        },
      };
    },
    close: () => pool.destroy(),
  };
}
