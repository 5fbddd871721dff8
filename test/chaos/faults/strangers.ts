// Somebody outside signals children of ours.
import type { Random } from "../random.ts";
import type { Fault, Scene } from "./fault.ts";

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function some(random: Random, scene: Scene): readonly number[] {
  return scene.pids().filter(() => random.chance(0.3));
}

/** SIGSTOP, and SIGCONT when it is over. */
export const stops: Fault = {
  name: "stopped-children",
  excuses: { strangers: true },
  begin(random, scene) {
    const pids = some(random, scene);
    for (const pid of pids) signal(pid, "SIGSTOP");
    return () => {
      const live = new Set(scene.pids());
      for (const pid of pids) if (live.has(pid)) signal(pid, "SIGCONT");
    };
  },
};

/** SIGKILL, as of the kernel when memory runs out. */
export const kills: Fault = {
  name: "killed-children",
  excuses: { strangers: true },
  begin(random, scene) {
    for (const pid of some(random, scene)) signal(pid, "SIGKILL");
    return () => undefined;
  },
};
