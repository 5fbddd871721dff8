// Counts the reports of a pool, and sees to it that no child is reported twice:
// two lives under one pid may not overlap.
import type { ExitReport, ProcessPool } from "pidpool";
import { endOf } from "./kinds.ts";

/** Milliseconds: the library reads the clock once for exits that it finds together. */
const BLUR = 1;

/** Hears every report of one pool. */
export class Census {
  /** Reports by how the child had ended. */
  readonly ends: Map<string, number> = new Map();
  reports = 0;
  /** Reports of a pid whose last life had not ended when this one began. */
  overlaps = 0;
  /** When the last life of each pid ended. */
  readonly #lives = new Map<number, number>();

  constructor(pool: ProcessPool) {
    pool.on("exit", (report) => this.#count(report));
  }

  #count(report: ExitReport): void {
    this.reports++;
    const end = endOf(report);
    this.ends.set(end, (this.ends.get(end) ?? 0) + 1);
    const { pid, startedAt, wallMs } = report;
    if (startedAt + BLUR < (this.#lives.get(pid) ?? 0)) this.overlaps++;
    this.#lives.set(pid, startedAt + wallMs);
  }

  /** While none lives. Otherwise it would grow with the number of pids that the system has. */
  forgetPids(): void {
    this.#lives.clear();
  }
}
