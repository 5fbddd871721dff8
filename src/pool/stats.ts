// Counts and histograms of one pool.
import { createHistogram, performance, type RecordableHistogram } from "node:perf_hooks";

/** A histogram's summary, in milliseconds. All 0 while nothing was recorded. */
export interface HistogramSummary {
  readonly count: number;
  readonly average: number;
  readonly stddev: number;
  readonly min: number;
  readonly max: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** One supervisor thread with its launcher. */
export interface SupervisorStats {
  /** Children it has: launching, running, or about to be reported. */
  readonly children: number;
  /** Launches queued or under way. */
  readonly launching: number;
  /** Milliseconds that the launch under way has taken so far; large where exec is held up. */
  readonly stalledMs: number;
  /** Threads that died and were replaced. */
  readonly deaths: number;
}

/** What a pool has done and is doing. */
export interface PoolStats {
  /** One-shot children under way. */
  readonly running: number;
  /** Runs that wait for a place. */
  readonly queueSize: number;
  /** Children alive or launching, `spawn()`ed ones included. */
  readonly children: number;
  /** Children whose exit was reported, since the pool was made. */
  readonly completed: number;
  /** Launches that failed. */
  readonly failed: number;
  /** Launches that were tried again because fds, processes or memory had run out. */
  readonly retried: number;
  /** From start to exit of completed children. */
  readonly runTime: HistogramSummary;
  /** From the call to the launch. */
  readonly waitTime: HistogramSummary;
  /** Share of the places for one-shot children that was in use since the pool was made, 0 to 1. */
  readonly utilization: number;
  readonly supervisors: readonly SupervisorStats[];
}

/** A histogram of durations with microsecond resolution. */
class Durations {
  readonly #histogram: RecordableHistogram = createHistogram();
  total = 0;

  record(ms: number): void {
    this.total += ms;
    this.#histogram.record(Math.max(1, Math.round(ms * 1000)));
  }

  summary(): HistogramSummary {
    const h = this.#histogram;
    if (h.count === 0) return { count: 0, average: 0, stddev: 0, min: 0, max: 0, p50: 0, p90: 0, p99: 0 };
    return {
      count: h.count,
      average: h.mean / 1000,
      stddev: h.stddev / 1000,
      min: h.min / 1000,
      max: h.max / 1000,
      p50: h.percentile(50) / 1000,
      p90: h.percentile(90) / 1000,
      p99: h.percentile(99) / 1000,
    };
  }
}

/** The pool's ledger. */
export class Tally {
  completed = 0;
  failed = 0;
  retried = 0;
  readonly runTime: Durations = new Durations();
  readonly waitTime: Durations = new Durations();
  /** Milliseconds for which one-shot places were held. */
  busyMs = 0;
  readonly #since = performance.now();

  /** Share of `places` that was in use so far. */
  utilization(places: number): number {
    const available = (performance.now() - this.#since) * places;
    return available > 0 && Number.isFinite(available) ? Math.min(1, this.busyMs / available) : 0;
  }
}
