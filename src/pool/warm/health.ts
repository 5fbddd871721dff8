// Whether a program is well enough to be started, and when: pure functions of
// what became of its processes, the time and a number from the jitter source.
import { delayAfter, jittered, type Backoff, type StartLimit } from "../pace.ts";

/** What bounds the starts of a program. */
export interface HealthRules {
  readonly backoff: Backoff;
  readonly startLimit: StartLimit;
}

/**
 * - `"healthy"`: may be started as often as wanted
 * - `"backoff"`: its processes die; one start a delay
 * - `"failed"`: they died too often; it rests for the longest delay
 * - `"trial"`: started once more after that; one more death, and it has failed again
 */
export type HealthState = "healthy" | "backoff" | "failed" | "trial";

/** What is known of a program. Values of this type are never changed. */
export interface Health {
  readonly state: HealthState;
  /** Failures since it was last known to be well. */
  readonly failures: number;
  /** When they were, oldest first; the last `burst` of them, of an endless burst the last one. */
  readonly times: readonly number[];
  /** No start before. */
  readonly notBefore: number;
}

export const HEALTHY: Health = Object.freeze({
  state: "healthy",
  failures: 0,
  times: Object.freeze([]),
  notBefore: -Infinity,
});

/** When the last failure was. */
function lastFailure({ times }: Health): number {
  return times.at(-1) ?? -Infinity;
}

/** When it may be started next: -Infinity for at once and as often as wanted. */
export function nextStart({ state, notBefore }: Health): number {
  return state === "healthy" ? -Infinity : notBefore;
}

/**
 * After a start.
 *
 * @param random A number in [0, 1).
 */
export function afterStart(health: Health, rules: HealthRules, now: number, random: number): Health {
  if (health.state === "healthy") return health;
  const state = health.state === "failed" ? "trial" : health.state;
  return { ...health, state, notBefore: now + delayAfter(health.failures - 1, rules.backoff, random) };
}

/**
 * After the death of a process that nobody had asked to end.
 *
 * @param startedAt When it was started. What was started before the last failure tells nothing new: the processes that
 * were started together, and die together, fail once.
 */
export function afterFailure(
  before: Health,
  rules: HealthRules,
  startedAt: number,
  now: number,
  random: number,
): Health {
  const health = afterLife(before, rules, startedAt, now);
  if (startedAt < lastFailure(health)) return health;
  const { burst, interval } = rules.startLimit;
  const failures = health.failures + 1;
  const times = [
    ...health.times.slice(burst === Infinity ? Infinity : Math.max(0, health.times.length + 1 - burst)),
    now,
  ];
  const tooOften = times.length >= burst && now - (times[0] ?? now) < interval;
  if (tooOften || health.state === "trial")
    return {
      state: "failed",
      failures,
      times,
      notBefore: now + jittered(rules.backoff.max, rules.backoff, random),
    };
  return { state: "backoff", failures, times, notBefore: now + delayAfter(failures - 1, rules.backoff, random) };
}

/** When a process that lives on proves the program to be well; Infinity where that is known or will not tell. */
export function provenAt(health: Health, { backoff }: HealthRules, startedAt: number): number {
  return health.state === "healthy" || startedAt < lastFailure(health) ? Infinity : startedAt + backoff.resetAfter;
}

/** After a process has lived until now. */
export function afterLife(health: Health, rules: HealthRules, startedAt: number, now: number): Health {
  return now >= provenAt(health, rules, startedAt) ? HEALTHY : health;
}

/** After a process has done its job and exited with code 0. */
export function afterSuccess(health: Health, startedAt: number): Health {
  return startedAt < lastFailure(health) ? health : HEALTHY;
}
