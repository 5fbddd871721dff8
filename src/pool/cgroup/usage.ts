// What a group has counted. To be read after its child's exit and before its
// removal.
import { join } from "node:path";
import type { CgroupUsage } from "../../process/cgroup-reason.ts";
import { flatKeyed, readIfThere } from "./files.ts";
import { withFds } from "./patience.ts";

/** Reads the counters; those that the kernel or a missing controller does not give are null. */
export async function readUsage(dir: string): Promise<CgroupUsage> {
  const read = async (file: string): Promise<ReadonlyMap<string, number>> =>
    flatKeyed((await withFds(() => readIfThere(join(dir, file)))) ?? "");
  const single = async (file: string): Promise<number | null> => {
    const text = await withFds(() => readIfThere(join(dir, file)));
    return text === undefined || !/^\d+\n?$/.test(text) ? null : Number(text);
  };
  const [events, local, memoryPeak, pids, pidsPeak, cpu] = await Promise.all([
    read("memory.events"),
    // Without what groups that the child has made itself, with limits of its own, have met.
    read("memory.events.local"),
    single("memory.peak"),
    read("pids.events"),
    single("pids.peak"),
    read("cpu.stat"),
  ]);
  const milliseconds = (key: string): number | null => {
    const micros = cpu.get(key);
    return micros === undefined ? null : micros / 1000;
  };
  return {
    oom: local.get("oom") ?? null,
    oomKills: events.get("oom_kill") ?? null,
    memoryPeak,
    pidsMet: pids.get("max") ?? null,
    pidsPeak,
    userMs: milliseconds("user_usec"),
    systemMs: milliseconds("system_usec"),
    throttledMs: milliseconds("throttled_usec"),
  };
}
