// How late the event loop of this thread is: a native 1 ms timer
// (perf_hooks.monitorEventLoopDelay) records when it runs.
import { monitorEventLoopDelay, performance, type IntervalHistogram } from "node:perf_hooks";

/** In milliseconds, less the timer's own period. */
export interface Delay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const PERIOD_MS = 1;

/** A probe where there is one: Bun and Deno have a function of that name that records something else. */
export function probeDelay(): DelayProbe | undefined {
  const { bun, deno } = process.versions;
  return bun === undefined && deno === undefined ? new DelayProbe() : undefined;
}

/** Measures from its making until {@link stop}. */
export class DelayProbe {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: PERIOD_MS });
  readonly #startedAt = performance.now();

  constructor() {
    this.#histogram.enable();
  }

  stop(): Delay {
    const histogram = this.#histogram;
    histogram.disable();
    // An interval counts when it ends. A loop that is never left (child_process under full load handles exits and
    // makes children without end) has no intervals at all: the time that none accounts for is one more.
    const elapsed = performance.now() - this.#startedAt;
    const { count } = histogram;
    const open = count === 0 ? elapsed : elapsed - (histogram.mean * count) / 1e6;
    const at = (share: number): number => {
      const closed = count === 0 ? 0 : histogram.percentile(share * 100) / 1e6;
      return count < share * (count + 1) ? Math.max(closed, open) : closed;
    };
    return {
      p50: late(at(0.5)),
      p99: late(at(0.99)),
      max: late(Math.max(open, count === 0 ? 0 : histogram.max / 1e6)),
    };
  }
}

function late(ms: number): number {
  return Math.max(0, ms - PERIOD_MS);
}
