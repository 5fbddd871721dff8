// Ends of processes that never were, for pure functions.
import type { ExitReason, ExitReport } from "pidpool";
import type { ProcessEnd } from "#pidpool/pool/service/result.js";

const FACTS = { pid: 1, message: null, startedAt: 0, wallMs: 0, userMs: 0, systemMs: 0, maxRss: null };

export function ended(code: number, reason: ExitReason = "exit"): ProcessEnd {
  return end({ ...FACTS, reason, status: "exited", code });
}

export function killed(signal: NodeJS.Signals, coreDumped = false, reason: ExitReason = "signal"): ProcessEnd {
  return end({ ...FACTS, reason, status: "signaled", signal, coreDumped });
}

/** `unstartable`: for want of the program, and not of something in the system. */
export function launchFailure(unstartable: boolean): ProcessEnd {
  return { report: null, unstartable, wasReady: false };
}

function end(report: ExitReport): ProcessEnd {
  return { report, unstartable: false, wasReady: true };
}
