// Time that jumps, and a main thread that is late.
import type { Fault } from "./fault.ts";

const realNow = Date.now;

/** The clock on the wall jumps by up to a year, in both directions. (The machine's own clock is set in test/vm/clock.test.ts.) */
export const clock: Fault = {
  name: "clock-jumps",
  excuses: {},
  begin(random) {
    const jump = random.int(-31_536_000_000, 31_536_000_000);
    Date.now = () => realNow() + jump;
    return () => {
      Date.now = realNow;
    };
  },
};

/** Somebody's computation holds the main thread. */
export const late: Fault = {
  name: "busy-main-thread",
  excuses: {},
  begin(random) {
    const end = performance.now() + random.int(1, 40);
    while (performance.now() < end);
    return () => undefined;
  },
};
