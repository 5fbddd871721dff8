// What a group holds, and what it tells the group: services and groups alike.
import type { PidpoolError } from "../../errors.ts";
import type { ExitReport } from "../../process/report.ts";

/** A part of a group. */
export interface Supervised {
  readonly name: string;
  /**
   * Starts it anew, whatever became of it before. Resolves once all of it is ready; rejects where it fails or is stopped
   * first: something of it may be left then, until stop() has resolved.
   */
  start(): Promise<void>;
  /** Ends it gracefully, as its options say. `keepSockets`: it will be started again. Resolves when nothing of it is left; never rejects. */
  stop(options?: { readonly keepSockets?: boolean | undefined }): Promise<void>;
  /** It is not started again: closes what it has kept for that. */
  closeSockets(): void;
  /** Who hears of its ends from now on. Set once, before the first start. */
  overseer: Overseer | undefined;
}

/** What stands above a service or a group. */
export interface Overseer {
  /**
   * A process of it has ended and its restart policy asks for a restart.
   *
   * @returns true where the overseer takes care: it will call stop(), and start() unless it gives up; false: restart that process yourself.
   */
  ended(part: Supervised, report: ExitReport | undefined): boolean;
  /** It has reached its start limit (or could not start at all) and its options say "escalate". It has no live process any more. */
  failed(part: Supervised, error: PidpoolError): void;
}
