// Many services of which some crash all the time: what their restarts look like.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Service } from "pidpool";
import { ProcessPool } from "./pool.ts";
import { until } from "./processes.ts";

export interface CrowdResult {
  readonly crashes: number;
  readonly restarts: number;
  /** Restarts before their delay was over. */
  readonly early: number;
  /** Milliseconds by which restarts were late, in their order. */
  readonly lateness: readonly number[];
  /** CPU time of the main thread by wall time, 0–1, while they crashed. */
  readonly cpu: number;
}

/** CPU time of the main thread in milliseconds; undefined where the kernel does not say. sched(7). */
function mainThreadCpu(): number | undefined {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1").split(" ")[0]) / 1e6;
  } catch {
    return undefined;
  }
}

const TURNS_A_SECOND = 20;

/** Starts so many services, and lets a share of them crash in every second. */
export async function crowd(services: number, share: number, seconds: number): Promise<CrowdResult> {
  await using pool = new ProcessPool();
  const waiting = new Set<string>();
  const lateness: number[] = [];
  let crashes = 0;
  let early = 0;
  const all: Service[] = Array.from({ length: services }, (_, i) =>
    pool.service({
      name: `service ${i}`,
      file: "sleep",
      args: ["100000"],
      restart: {
        policy: "always",
        backoff: { initial: 100, factor: 1.5, max: 1000, resetAfter: 1000 },
        startLimit: { burst: Infinity },
      },
    }),
  );
  pool.on("restart", ({ service, delay, waited }) => {
    waiting.delete(service);
    lateness.push(waited - delay);
    if (waited < delay) early++;
  });
  await Promise.all(all.map(({ ready }) => ready));
  const busy = performance.eventLoopUtilization();
  const [wall, cpu] = [performance.now(), mainThreadCpu()];
  const eachTurn = Math.ceil((services * share) / TURNS_A_SECOND);
  await new Promise<void>((resolve) => {
    let next = 0;
    let turns = seconds * TURNS_A_SECOND;
    const timer = setInterval(() => {
      for (let i = 0; i < eachTurn; i++) {
        const service = all[next++ % services];
        const pid = service?.replicas[0]?.pid;
        if (service?.state !== "ready" || pid === null || pid === undefined) continue;
        waiting.add(service.name);
        crashes++;
        process.kill(pid, "SIGKILL");
      }
      if (--turns > 0) return;
      clearInterval(timer);
      resolve();
    }, 1000 / TURNS_A_SECOND);
  });
  const used = mainThreadCpu();
  const ratio =
    cpu === undefined || used === undefined
      ? performance.eventLoopUtilization(busy).utilization
      : (used - cpu) / (performance.now() - wall);
  // The last ones.
  await until(() => waiting.size === 0);
  const restarts = all.reduce((sum, service) => sum + (service.replicas[0]?.restarts ?? 0), 0);
  return { crashes, restarts, early, lateness, cpu: ratio };
}

/** The value below which that share of the numbers lies. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
