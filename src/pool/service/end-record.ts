// The ends that a group was told of since it was started: how many, and how.
import { describeExit } from "../../process/explain.ts";
import type { ExitReport } from "../../process/report.ts";
import { countEnd, NO_ENDS, type Intensity } from "./intensity.ts";

/** Reports that a group keeps. */
const KEPT_REPORTS = 10;

export class EndRecord {
  readonly #limit: Intensity;
  #tally = NO_ENDS;
  reports: readonly ExitReport[] = [];

  constructor(limit: Intensity) {
    this.#limit = limit;
  }

  clear(): void {
    this.#tally = NO_ENDS;
    this.reports = [];
  }

  /** Counts an end. Returns what to say of it where it was one too many. */
  add(part: string, now: number, report: ExitReport | undefined, error: unknown): string | undefined {
    if (report !== undefined) this.reports = Object.freeze([...this.reports, report].slice(-KEPT_REPORTS));
    const { tally, tooMany } = countEnd(this.#tally, now, this.#limit);
    this.#tally = tally;
    if (!tooMany) return undefined;
    const { intensity, period } = this.#limit;
    const how = error instanceof Error ? error.message : report === undefined ? "" : describeExit(report);
    const count = tally.length === 1 ? "1 end" : `${tally.length} ends`;
    return `${count} within ${period} ms, more than its intensity of ${intensity}; the last: ${part}${how && `: ${how}`}`;
  }
}
