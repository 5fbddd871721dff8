// Reaping by SIGCHLD, with all else as pidpool has it: its specs, its launcher
// threads, as many of them. It has no capture and no feeding.
import { resolveSpec, type LaunchSpec } from "#pidpool/process/spec.js";
import { ProcessManager } from "../sigchld/process-manager.ts";
import { lacking, type Contestant, type LiveChild } from "./contestant.ts";

export default function create(): Contestant {
  const manager = new ProcessManager(Number(process.env["PIDPOOL_THREADS"] ?? 2));
  const env = { ...process.env };
  const specs = new Map<string, LaunchSpec>();
  const prepared = (file: string): LaunchSpec => {
    let spec = specs.get(file);
    if (spec === undefined) specs.set(file, (spec = resolveSpec("run", file, [], { stdio: "ignore", env })));
    return spec;
  };
  return {
    run: (file) =>
      new Promise((resolve, reject) => {
        const died = (status: number): void => {
          if (status === 0) resolve();
          else reject(new Error(`${file} ended with status ${status}`));
        };
        manager.start(prepared(file), { died, failed: reject }).catch(reject);
      }),
    spawn(file, stdin) {
      const spec =
        stdin === undefined
          ? prepared(file)
          : resolveSpec("run", file, [], { stdio: [stdin, "ignore", "ignore"], env });
      return new Promise<LiveChild>((resolve, reject) => {
        let died: (status: number) => void;
        const exited = new Promise<number>((settle) => (died = settle));
        const launched = (pid: number): void =>
          resolve({
            exited,
            async kill() {
              process.kill(pid, "SIGKILL");
              await exited;
            },
          });
        manager.start(spec, { launched, died: (status) => died(status), failed: reject }).catch(reject);
      });
    },
    capture: lacking,
    feed: lacking,
    close() {
      manager.close();
      return Promise.resolve();
    },
  };
}
