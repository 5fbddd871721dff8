// Whether, and when, a process that has ended is started again: a pure function
// of its end, what came before, the time and a number from the jitter source.
import { delayAfter, type Backoff, type StartLimit } from "../pace.ts";
import { hasStatus, resultOf, type ProcessEnd, type ServiceResult, type StatusSet } from "./result.ts";

/** When a process that ended by itself is started again: the words of systemd's `Restart=`. */
export type RestartPolicy = "no" | "always" | "on-success" | "on-failure" | "on-abnormal" | "on-abort" | "on-watchdog";

/** The option `restart`, resolved. Times are milliseconds. */
export interface RestartRules {
  readonly policy: RestartPolicy;
  readonly success: StatusSet;
  readonly prevent: StatusSet;
  readonly force: StatusSet;
  readonly backoff: Backoff;
  readonly startLimit: StartLimit & { readonly action: "give-up" | "escalate" };
}

/** What came before. Values of this type are never changed. */
export interface Tally {
  /** Restarts since it was last healthy for `resetAfter`. */
  readonly attempts: number;
  /** When it was started, oldest first; of the last `burst` starts. */
  readonly starts: readonly number[];
}

export const NO_TALLY: Tally = Object.freeze({ attempts: 0, starts: Object.freeze([]) });

/** What to do about an end. */
export type Decision =
  | { readonly action: "restart"; readonly delay: number; readonly at: number; readonly tally: Tally }
  /** The policy lets it be. */
  | { readonly action: "stay" }
  /** It was started too often. */
  | { readonly action: "give-up" | "escalate" };

/** The effect of each policy on each result: the table of systemd.service(5). */
const RESTARTS: Readonly<Record<RestartPolicy, (result: ServiceResult) => boolean>> = {
  no: () => false,
  always: () => true,
  "on-success": (result) => result === "success",
  "on-failure": (result) => result !== "success",
  "on-abnormal": (result) => result !== "success" && result !== "exit-code",
  "on-abort": (result) => result === "signal" || result === "core-dump",
  "on-watchdog": (result) => result === "watchdog",
};

/** Whether policy and lists ask for a restart. Prevention comes before force, and both before the policy. */
export function asksForRestart(end: ProcessEnd, rules: RestartRules): boolean {
  if (hasStatus(rules.prevent, end)) return false;
  if (hasStatus(rules.force, end)) return true;
  return RESTARTS[rules.policy](resultOf(end, rules.success));
}

/**
 * @param healthyMs How long it had been ready; below 0 if never.
 * @param random A number in [0, 1).
 */
export function decide(
  end: ProcessEnd,
  healthyMs: number,
  tally: Tally,
  rules: RestartRules,
  now: number,
  random: number,
): Decision {
  if (!asksForRestart(end, rules)) return { action: "stay" };
  const { backoff, startLimit } = rules;
  const attempts = healthyMs >= backoff.resetAfter ? 0 : tally.attempts;
  const delay = delayAfter(attempts, backoff, random);
  const at = now + delay;
  // It starts at `at` or later, when no more of the starts before lie within the interval.
  if (!mayStart(tally, rules, at)) return { action: startLimit.action };
  return { action: "restart", delay, at, tally: { attempts: attempts + 1, starts: tally.starts } };
}

/** Whether a start at that time leaves at most `burst` of them in any span of `interval`. */
export function mayStart({ starts }: Tally, { startLimit }: RestartRules, at: number): boolean {
  const { burst, interval } = startLimit;
  if (starts.length < burst) return true;
  return at - (starts[starts.length - burst] ?? -Infinity) >= interval;
}

/** The tally after a start. */
export function withStart({ attempts, starts }: Tally, { startLimit }: RestartRules, at: number): Tally {
  const { burst, interval } = startLimit;
  if (burst === Infinity || interval === 0) return { attempts, starts: NO_TALLY.starts };
  return { attempts, starts: [...starts.slice(starts.length < burst ? 0 : 1), at] };
}
