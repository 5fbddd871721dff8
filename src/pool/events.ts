// What a pool tells, as events.
import type { PidpoolError } from "../errors.ts";
import type { ExitReport } from "../process/report.ts";
import type { RestartInfo } from "./service/end.ts";

/** Which child an event is about. */
export interface ChildInfo {
  readonly pid: number;
  readonly file: string;
  readonly args: readonly string[];
}

/** Events of a {@link ProcessPool}. */
export interface PoolEvents {
  /** A child's program runs. */
  spawn: (child: ChildInfo) => void;
  /** A child has ended and was reaped. */
  exit: (report: ExitReport, child: ChildInfo) => void;
  /** A run has to wait for a place: callers had better hold back. */
  needsDrain: () => void;
  /** After `needsDrain`: no run waits, and a place is free. */
  drain: () => void;
  /** A process of a service was started in the place of one that had ended by itself. */
  restart: (restart: RestartInfo) => void;
  /**
   * A supervisor thread died and was replaced (or is tried again every second); its children live on. Or the init
   * of the pool's pid namespace died (ERR_ISOLATION): the children that were in it died with it. Or a service has failed
   * whose start limit says "escalate", or a group; what is in a group tells the group instead.
   */
  error: (error: PidpoolError) => void;
}
