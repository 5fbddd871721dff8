// CPU time of the threads of this process, as the scheduler counts it:
// nanoseconds, where getrusage() counts ticks for a part of them.
import { readdirSync, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";

/** Nanoseconds by thread id. A thread that ends takes its time along. */
export type ThreadTimes = ReadonlyMap<number, number>;

/** Starts libuv's threads, all of which start at the first need. */
export async function startRuntimeThreads(): Promise<void> {
  await stat("/");
}

/** Of all threads of this process. */
export function threadTimes(): ThreadTimes {
  const times = new Map<number, number>();
  for (const tid of readdirSync("/proc/self/task")) {
    try {
      const [running] = readFileSync(`/proc/self/task/${tid}/schedstat`, "utf8").split(" ");
      times.set(Number(tid), Number(running));
    } catch {
      // It ended meanwhile.
    }
  }
  return times;
}

/** What those threads that `counts` accepts have used between two looks, in microseconds. */
export function usedBetween(before: ThreadTimes, after: ThreadTimes, counts: (tid: number) => boolean): number {
  let nanoseconds = 0;
  for (const [tid, time] of after) if (counts(tid)) nanoseconds += time - (before.get(tid) ?? 0);
  return nanoseconds / 1000;
}
