// This package. How many children are in flight is up to the runner, so the
// pool's own bound is out of the way. What is special about it comes in the
// environment:
//   PIDPOOL_THREADS    how many supervisor threads there are; 2 where it is not set
//   PIDPOOL_ISOLATION  the pool's `isolation` in JSON; "none" where it is not set
//   PIDPOOL_WRAPPER    in JSON, a program with arguments that runs what is to be run; none where it is not set
import { ProcessPool, type Command, type Isolation } from "pidpool";
import type { Contestant } from "./contestant.ts";

export default function create(): Contestant {
  const threads = Number(process.env["PIDPOOL_THREADS"] ?? 2);
  const isolation = JSON.parse(process.env["PIDPOOL_ISOLATION"] ?? '"none"') as Isolation;
  const wrapper = JSON.parse(process.env["PIDPOOL_WRAPPER"] ?? "[]") as readonly string[];
  const pool = new ProcessPool({ threads, concurrency: 1 << 16, isolation });
  const env = { ...process.env };
  const commands = new Map<string, Command<"ignore">>();
  const command = (file: string): Command<"ignore"> => {
    let prepared = commands.get(file);
    if (prepared === undefined) {
      const [program, ...args] = [...wrapper, file];
      commands.set(file, (prepared = pool.command(program, args, { stdio: "ignore" })));
    }
    return prepared;
  };
  return {
    async run(file) {
      await command(file).run();
    },
    async spawn(file, stdin) {
      const child =
        stdin === undefined
          ? await command(file).spawn()
          : await pool.spawn(file, [], { stdio: [stdin, "ignore", "ignore"], env });
      return {
        exited: child.exited,
        async kill() {
          child.kill("SIGKILL");
          await child.exited;
        },
      };
    },
    async capture(file, args) {
      const { stdout } = await pool.run(file, args, {
        env,
        stdio: ["ignore", "capture", "ignore"],
        encoding: "buffer",
        maxOutput: Infinity,
      });
      return stdout.length;
    },
    async feed(file, args, input) {
      await pool.run(file, args, { env, stdio: ["pipe", "ignore", "ignore"], input });
    },
    async keep(file, args, count) {
      const service = pool.service({
        name: "kept",
        file,
        args,
        env,
        stdio: "ignore",
        replicas: count,
        restart: { policy: "always", backoff: { initial: 0 }, startLimit: { burst: Infinity } },
      });
      await service.ready;
    },
    close: () => pool.destroy(),
    reapsInThreads: true,
  };
}
