// What a pool tells the whole process, through node:diagnostics_channel: for
// monitors that do not know the pools. Without subscribers it costs a look.
import { channel } from "node:diagnostics_channel";
import type { ExitReport } from "../process/report.ts";
import type { LaunchSpec } from "../process/spec.ts";
import type { ProcessPool } from "./pool.ts";
import type { RestartInfo } from "./service/end.ts";

/** Published on `pidpool:launch`: a child's program runs. */
export interface LaunchMessage {
  readonly pool: ProcessPool;
  readonly pid: number;
  readonly file: string;
  readonly args: readonly string[];
}

/** Published on `pidpool:exit`: a child has ended and was reaped. */
export interface ExitMessage {
  readonly pool: ProcessPool;
  readonly report: ExitReport;
  readonly file: string;
  readonly args: readonly string[];
}

/** Published on `pidpool:restart`: a service has started a process in the place of one that ended by itself. */
export interface RestartMessage extends RestartInfo {
  readonly pool: ProcessPool;
}

/** The messages of each channel, by its name. */
export interface DiagnosticsMessages {
  "pidpool:launch": LaunchMessage;
  "pidpool:exit": ExitMessage;
  "pidpool:restart": RestartMessage;
}

const launches = channel("pidpool:launch");
const exits = channel("pidpool:exit");
const restarts = channel("pidpool:restart");

/** Whether anybody wants to know of launches right now. */
export function launchesWanted(): boolean {
  return launches.hasSubscribers;
}

/** A child's program runs. */
export function publishLaunch(pool: ProcessPool, pid: number, { file, args }: LaunchSpec): void {
  if (launches.hasSubscribers) launches.publish({ pool, pid, file, args } satisfies LaunchMessage);
}

/** A child was reaped. */
export function publishExit(pool: ProcessPool, report: ExitReport, { file, args }: LaunchSpec): void {
  if (exits.hasSubscribers) exits.publish({ pool, report, file, args } satisfies ExitMessage);
}

/** A service has started a process anew. */
export function publishRestart(pool: ProcessPool, info: RestartInfo): void {
  if (restarts.hasSubscribers) restarts.publish({ pool, ...info } satisfies RestartMessage);
}
