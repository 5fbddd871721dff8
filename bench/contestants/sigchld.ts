// Reaping by SIGCHLD, with all else as pidpool has it: its specs, its launcher
// threads, as many of them. It has no capture and no feeding.
import { resolveSpec, type LaunchSpec } from "#pidpool/process/spec.js";
import { ProcessManager } from "../sigchld/process-manager.ts";
import { lacking, type Contestant, type LiveChild } from "./contestant.ts";

class Child implements LiveChild {
  readonly exited: Promise<void>;
  /** 0 once the child is reaped, for the pid may then be another's. */
  pid = 0;
  #settle: () => void = () => undefined;

  constructor() {
    this.exited = new Promise((resolve) => (this.#settle = resolve));
  }

  died(): void {
    this.pid = 0;
    this.#settle();
  }

  async kill(): Promise<void> {
    if (this.pid > 0) process.kill(this.pid, "SIGKILL");
    await this.exited;
  }
}

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
        const child = new Child();
        const launched = (pid: number): void => {
          child.pid = pid;
          resolve(child);
        };
        manager.start(spec, { launched, died: () => child.died(), failed: reject }).catch(reject);
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
