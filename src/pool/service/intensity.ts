// How many restarts a group stands, as OTP's supervisor(3) counts them. Pure:
// the clock is an argument.

/** More than `intensity` ends within `period` milliseconds are too many. */
export interface Intensity {
  readonly intensity: number;
  readonly period: number;
}

/** When the ends were that still count, in milliseconds, oldest first. */
export type Tally = readonly number[];

/** The tally of a group that was just started. */
export const NO_ENDS: Tally = Object.freeze([]);

/**
 * Counts an end, and forgets those that are older than the period; one that is exactly as old still counts.
 *
 * @param now Of a clock that never goes back.
 */
export function countEnd(
  tally: Tally,
  now: number,
  { intensity, period }: Intensity,
): { tally: Tally; tooMany: boolean } {
  const recent = [...tally.filter((at) => at >= now - period), now];
  return { tally: recent, tooMany: recent.length > intensity };
}
