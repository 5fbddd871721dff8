// The books of a round: every launch that was asked for, and what came of it.
import type { ProcessPool, RunResult } from "pidpool";
import { judge, type Interference, type Outcome, type Weather } from "./judge.ts";
import type { Order } from "./orders.ts";

/** A launch that was asked for. */
export interface Entry {
  readonly id: number;
  readonly order: Order;
  readonly done: Interference;
  pid: number | undefined;
  settled: boolean;
}

/** Counts of a round, or of many. */
export interface Counts {
  operations: number;
  launches: number;
  reports: number;
  errors: number;
  faults: number;
}

export class Ledger {
  readonly counts: Counts = { operations: 0, launches: 0, reports: 0, errors: 0, faults: 0 };
  readonly failures: string[] = [];
  readonly open: Map<number, Entry> = new Map<number, Entry>();
  /** What pools have said by their events: spawns less exits, by pid. One that is used again may be 2 for a moment. */
  readonly #live = new Map<number, number>();
  readonly #weather: Weather;
  readonly #waiting: (() => void)[] = [];

  constructor(weather: Weather) {
    this.#weather = weather;
  }

  /** Every child of the pool must be announced once, and have ended once. */
  watch(pool: ProcessPool): void {
    pool.on("spawn", ({ pid }) => this.#count(pid, 1));
    pool.on("exit", ({ pid }) => this.#count(pid, -1));
  }

  #count(pid: number, change: 1 | -1): void {
    const count = (this.#live.get(pid) ?? 0) + change;
    if (count === 0) this.#live.delete(pid);
    else this.#live.set(pid, count);
  }

  /** Pids of children that run. */
  pids(): readonly number[] {
    return [...this.#live.keys()];
  }

  begin(order: Order): Entry {
    const entry: Entry = {
      id: this.counts.launches++,
      order,
      done: { signals: new Set(), aborted: false, closed: false },
      pid: undefined,
      settled: false,
    };
    this.open.set(entry.id, entry);
    return entry;
  }

  /** Resolves when the launch has come out, whichever way. */
  async follow(entry: Entry, outcome: Promise<RunResult>): Promise<void> {
    const settled = await outcome.then(
      (result): Outcome => ({ ok: true, result }),
      (error: unknown): Outcome => ({ ok: false, error }),
    );
    if (entry.settled) this.fail(`launch ${entry.id} came out twice`);
    entry.settled = true;
    this.open.delete(entry.id);
    if (settled.ok) this.counts.reports++;
    else this.counts.errors++;
    const wrong = judge(entry.order, entry.done, this.#weather, settled);
    if (wrong !== undefined)
      this.fail(`${entryText(entry)}: ${wrong}${settled.ok ? ` (${tell(settled.result)})` : ""}`);
    this.#waiting.shift()?.();
  }

  /** Resolves once fewer than so many launches are open. */
  async room(width: number): Promise<void> {
    while (this.open.size >= width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  fail(message: string): void {
    this.failures.push(message);
  }

  /** Says what the books say at the end. */
  balance(): void {
    for (const entry of this.open.values()) this.fail(`${entryText(entry)} has not come out`);
    for (const [pid, count] of this.#live) this.fail(`pid ${pid}: ${count} more announcements than reports`);
    const { launches, reports, errors } = this.counts;
    if (launches !== reports + errors) this.fail(`${launches} launches, ${reports} reports and ${errors} errors`);
  }
}

export function entryText({ id, order, done, pid }: Entry): string {
  const deeds = [...done.signals, ...(done.aborted ? ["abort"] : []), ...(done.closed ? ["end of pool"] : [])];
  const options = JSON.stringify(order.options, (_, value: unknown) =>
    typeof value === "string" && value.length > 40 ? `${value.length} characters` : value,
  );
  return `launch ${id} (${order.name} ${order.args.slice(1).join(" ")} ${options}, pid ${pid ?? "none"}, ${deeds.join(", ") || "left alone"})`;
}

function tell({ pid, exit, truncated, stdout, stderr }: RunResult): string {
  const how = exit.status === "exited" ? exit.code : exit.status === "signaled" ? exit.signal : "unknown";
  return `pid ${pid}, ${exit.status} ${how}, reason ${exit.reason}, truncated ${truncated}, stopped ${JSON.stringify(exit.stopped)}, ${stdout?.length} characters on stdout, stderr ${String(stderr).slice(0, 80)}`;
}
