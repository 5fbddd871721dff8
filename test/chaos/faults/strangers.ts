// Somebody outside signals children of ours.
import type { Random } from "../random.ts";
import { signalChild } from "../signal-child.ts";
import type { Fault, Scene } from "./fault.ts";

function some(random: Random, scene: Scene): readonly number[] {
  return scene.pids().filter(() => random.chance(0.3));
}

/** SIGSTOP, and SIGCONT when it is over. */
export const stops: Fault = {
  name: "stopped-children",
  excuses: { strangers: true },
  begin(random, scene) {
    const pids = some(random, scene);
    for (const pid of pids) signalChild(pid, "SIGSTOP");
    return () => {
      const live = new Set(scene.pids());
      for (const pid of pids) if (live.has(pid)) signalChild(pid, "SIGCONT");
    };
  },
};

/** SIGKILL, as of the kernel when memory runs out. */
export const kills: Fault = {
  name: "killed-children",
  excuses: { strangers: true },
  begin(random, scene) {
    for (const pid of some(random, scene)) signalChild(pid, "SIGKILL");
    return () => undefined;
  },
};
