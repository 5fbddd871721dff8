// Ends of processes that never were, for pure functions.
import type { ExitReason, ExitReport } from "pidpool";
import { facts } from "./reports.ts";
import type { ProcessEnd } from "#pidpool/pool/service/result.js";

export function ended(code: number, reason: ExitReason = "exit"): ProcessEnd {
  return end({ ...facts({ reason }), status: "exited", code });
}

export function killed(signal: NodeJS.Signals, coreDumped = false, reason: ExitReason = "signal"): ProcessEnd {
  return end({ ...facts({ reason }), status: "signaled", signal, coreDumped, core: null });
}

/** `unstartable`: for want of the program, and not of something in the system. */
export function launchFailure(unstartable: boolean): ProcessEnd {
  return { report: null, unstartable, late: false, wasReady: false };
}

function end(report: ExitReport): ProcessEnd {
  return { report, unstartable: false, late: false, wasReady: true };
}
