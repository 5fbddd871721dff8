// What a service keeps and tells of the ends of its processes.
import type { PidpoolError } from "../../errors.ts";
import type { ExitReport } from "../../process/report.ts";
import type { ServiceResult } from "./result.ts";

/** The end of one process of a service. */
export interface ServiceEnd {
  /** Which replica it was. */
  readonly replica: number;
  /** In systemd's words. */
  readonly result: ServiceResult;
  /** null where no program ever ran; then `error` says why. */
  readonly report: ExitReport | null;
  readonly error: PidpoolError | null;
}

/** A process of a service that is started in the place of one that has ended by itself. */
export interface RestartInfo {
  /** The service's name. */
  readonly service: string;
  readonly replica: number;
  /** Restarts of this replica so far, this one included. */
  readonly restarts: number;
  /** Milliseconds from the end to the restart as its backoff said. */
  readonly delay: number;
  /** Milliseconds that it took indeed: never less. */
  readonly waited: number;
  readonly end: ServiceEnd;
}
