// Runs again and again, so many at a time and for so long.
import { performance } from "node:perf_hooks";
import type { Effort, Outcome } from "./protocol.ts";

/** See {@link Effort}. */
export async function repeat(
  { inFlight, milliseconds, least, most }: Effort,
  run: () => Promise<unknown>,
): Promise<Outcome> {
  const start = performance.now();
  let launches = 0;
  const more = (): boolean => {
    const elapsed = performance.now() - start;
    return elapsed < milliseconds || (launches < least && elapsed < most) || launches === 0;
  };
  await lanes(inFlight, async () => {
    while (more()) {
      launches++;
      await run();
    }
  });
  return { launches, milliseconds: performance.now() - start };
}

/** So many loops beside each other. */
export async function lanes(count: number, lane: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, lane));
}
