// How fast, and how often, a program whose processes end is started again: the
// options backoff and startLimit that services and warm commands share.
import { InvalidOptionError } from "../errors.ts";
import { amount, bag, integer } from "../process/validate.ts";
import { MAX_MS } from "./alarm.ts";

/** The option `backoff`, resolved. Times are milliseconds. */
export interface Backoff {
  readonly initial: number;
  readonly factor: number;
  readonly max: number;
  /** The share of a delay that chance may take off, 0–1. */
  readonly jitter: number;
  readonly resetAfter: number;
}

/** The option `startLimit`, resolved. */
export interface StartLimit {
  readonly burst: number;
  readonly interval: number;
}

const BACKOFF_KEYS = new Set(["initial", "factor", "max", "jitter", "resetAfter"]);
const MAX_BURST = 1000;

/**
 * The delay that follows so many others.
 *
 * @param random A number in [0, 1).
 */
export function delayAfter(before: number, backoff: Backoff, random: number): number {
  // Finite, as no delay at all stays none.
  const growth = Math.min(backoff.factor ** before, Number.MAX_VALUE);
  return jittered(Math.min(backoff.max, backoff.initial * growth), backoff, random);
}

/** A delay, less what chance takes off. */
export function jittered(delay: number, { jitter }: Backoff, random: number): number {
  return delay * (1 - jitter * random);
}

/**
 * @param shortest The shortest delay that may be asked for.
 * @throws InvalidOptionError
 */
export function resolveBackoff(option: string, value: unknown, shortest: number): Backoff {
  const given = bag(option, value, BACKOFF_KEYS);
  const initial = finite(`${option}.initial`, given["initial"] ?? 100, shortest, MAX_MS);
  return {
    initial,
    factor: finite(`${option}.factor`, given["factor"] ?? 2, 1, 1000),
    max: finite(`${option}.max`, given["max"] ?? Math.max(30_000, initial), initial, MAX_MS),
    jitter: finite(`${option}.jitter`, given["jitter"] ?? 0.2, 0, 1),
    resetAfter: amount(`${option}.resetAfter`, given["resetAfter"] ?? 10_000, 0, MAX_MS, "milliseconds"),
  };
}

/** @throws InvalidOptionError */
export function resolveStartLimit(option: string, given: Readonly<Record<string, unknown>>): StartLimit {
  const { burst = 5, interval = 10_000 } = given;
  return {
    burst: burst === Infinity ? Infinity : integer(`${option}.burst`, burst, 1, MAX_BURST),
    interval: amount(`${option}.interval`, interval, 0, MAX_MS, "milliseconds"),
  };
}

function finite(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw new InvalidOptionError(name, value, `it must be a number from ${min} to ${max}`);
}
