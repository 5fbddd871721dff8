// The CPU clock of the calling thread, to the nanosecond: what /proc tells of a
// thread that runs just now is as old as the last tick.
import koffi from "koffi";

const CLOCK_THREAD_CPUTIME_ID = 3;

const read = koffi.load(null).func("int clock_gettime(int clock, _Out_ int64_t *time)") as (
  clock: number,
  time: BigInt64Array,
) => number;
const time = new BigInt64Array(2);

/** Milliseconds that this thread has worked. */
export function threadCpu(): number {
  if (read(CLOCK_THREAD_CPUTIME_ID, time) !== 0) throw new Error("there is no CPU clock of a thread");
  return Number(time[0]) * 1e3 + Number(time[1]) / 1e6;
}
