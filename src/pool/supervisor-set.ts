// The supervisors of one pool: started when there is enough to do, chosen by
// how much each has in hand.
import { PidpoolError } from "../errors.ts";
import { monotonicNow } from "../process/report.ts";
import type { Child } from "./child.ts";
import type { SupervisorStats } from "./stats.ts";
import { Supervisor } from "./supervisor.ts";
import type { ThreadLimits } from "./thread-host.ts";

/** A thread costs some 40 ms of CPU and 10 MB: the next one starts when each has this many children. */
const ENOUGH_FOR_ONE = 4;

/** Starts, picks and ends supervisors. */
export class SupervisorSet {
  readonly #count: number;
  readonly #onError: (error: PidpoolError) => void;
  readonly #limits: ThreadLimits | undefined;
  readonly #supervisors: Supervisor[] = [];

  constructor(count: number, onError: (error: PidpoolError) => void, limits?: ThreadLimits) {
    this.#count = count;
    this.#onError = onError;
    this.#limits = limits;
  }

  /** Those that were started so far. */
  get all(): readonly Supervisor[] {
    return this.#supervisors;
  }

  /**
   * Starts a child on the supervisor that has least to do. Returns 0 or -errno.
   *
   * @throws PidpoolError ERR_SUPERVISOR where not even one can be started.
   */
  start(child: Child): number {
    return this.pick().start(child);
  }

  /** The supervisor that the next child goes to. */
  pick(): Supervisor {
    let best: Supervisor | undefined;
    for (const supervisor of this.#supervisors) {
      if (best === undefined || cost(supervisor) < cost(best)) best = supervisor;
    }
    if (best !== undefined && (this.#supervisors.length >= this.#count || best.load < ENOUGH_FOR_ONE)) return best;
    try {
      const added: Supervisor = new Supervisor(this.#limits, {
        died: (cause) => this.#onError(deathNotice(cause)),
        unmanned: this.#onError,
      });
      this.#supervisors.push(added);
      return added;
    } catch (error) {
      if (best !== undefined) return best;
      throw error;
    }
  }

  stats(): SupervisorStats[] {
    return this.#supervisors.map((supervisor) => ({
      children: supervisor.load,
      launching: supervisor.launcher.pending,
      stalledMs: supervisor.launcher.launchingSince(monotonicNow()),
      deaths: supervisor.deaths,
    }));
  }

  /** No child may be left. Safe to call when nothing was started. */
  async destroy(): Promise<void> {
    await Promise.all(this.#supervisors.splice(0).map((supervisor) => supervisor.end()));
  }
}

/** None goes where no thread is while there is another. Launches that wait weigh more than children that only live: a launcher held up in exec gets no more work. */
function cost(supervisor: Supervisor): number {
  if (supervisor.failure !== undefined) return Infinity;
  return supervisor.load + 16 * supervisor.launcher.pending;
}

function deathNotice(cause: unknown): PidpoolError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new PidpoolError("ERR_SUPERVISOR", `a supervisor thread died and was replaced${why}`, { cause });
}
