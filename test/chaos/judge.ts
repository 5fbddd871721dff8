// Whether what came of a launch is one of the things that may come of it.
import { LaunchError, PidpoolError, type RunResult } from "pidpool";
import type { Order } from "./orders.ts";

/** What was done to a child beside its own order. */
export interface Interference {
  /** Signals that were sent to it by name. */
  readonly signals: Set<string>;
  aborted: boolean;
  /** Its pool was told to end. */
  closed: boolean;
}

/** What a round is allowed to excuse. */
export interface Weather {
  /** Fds, processes or memory run out: launches may fail of that. */
  readonly scarce: boolean;
  /** Foreign code takes exit statuses. */
  readonly thieves: boolean;
  /** Supervisor threads die: output that they held is lost. */
  readonly deaths: boolean;
  /** Somebody else signals children. */
  readonly strangers: boolean;
}

/** How a launch came out. */
export type Outcome =
  | { readonly ok: true; readonly result: RunResult }
  | { readonly ok: false; readonly error: unknown };

const SCARCE = new Set(["EMFILE", "ENFILE", "EAGAIN", "ENOMEM", "ENOSPC", "ENOBUFS"]);

/** What is wrong with this outcome; undefined if nothing is. */
export function judge(order: Order, done: Interference, weather: Weather, outcome: Outcome): string | undefined {
  return outcome.ok
    ? judgeResult(order, done, weather, outcome.result)
    : judgeError(order, done, weather, outcome.error);
}

function judgeError(order: Order, done: Interference, weather: Weather, error: unknown): string | undefined {
  if (!(error instanceof PidpoolError)) return `an error of a foreign kind: ${String(error)}`;
  if (error.code === "ERR_CLOSED") return done.closed ? undefined : "ERR_CLOSED from an open pool";
  if (error.code === "ERR_ABORTED") return done.aborted ? undefined : "ERR_ABORTED without an abort";
  if (weather.scarce && SCARCE.has(error.errno ?? "")) return undefined;
  if (error instanceof LaunchError && order.fails !== undefined && error.errno === order.fails) return undefined;
  return `${error.code} ${error.errno ?? ""}: ${error.message}`;
}

function judgeResult(order: Order, done: Interference, weather: Weather, result: RunResult): string | undefined {
  const { exit, truncated } = result;
  if (order.fails !== undefined && exit.status !== "signaled") return "a program that cannot be executed has run";
  if (truncated === "supervisor-lost" && !weather.deaths) return "output was lost though no thread died";
  if (exit.status === "unknown") return weather.thieves ? undefined : "nobody has taken the status, and it is unknown";
  if (!Number.isFinite(exit.wallMs) || exit.wallMs < 0) return `wallMs is ${exit.wallMs}`;
  if (exit.reason === "aborted" && !done.aborted) return "aborted by nobody";
  if (exit.reason === "shutdown" && !done.closed) return "shut down though its pool was open";
  if (exit.reason === "timeout" && order.options.timeout === undefined) return "a timeout out of nothing";
  if (truncated === "no-memory") return weather.scarce ? undefined : "there was memory for its output";
  if (exit.reason === "output-limit" && order.options.maxOutput === undefined) return "an output limit out of nothing";
  if (exit.reason === "unknown" || exit.reason === "guardian-died") return `the reason ${exit.reason}`;
  const interfered = done.signals.size > 0 || done.aborted || done.closed || weather.strangers;
  if (interfered) return undefined;
  return order.wrong(result);
}
