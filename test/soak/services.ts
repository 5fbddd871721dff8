// A thousand services of which a tenth crashes in every second, for a minute:
// `npm run soak:services -- 60`. Every restart happens, none before its delay, the
// main thread stays idle, and lateness does not grow.
import { crowd, quantile } from "../helpers/crowd.ts";

/** Share of the main thread's time that this may take. */
const BUSY = 0.05;
/** Milliseconds of lateness that pass for noise of the machine. */
const NOISE = 5;

const seconds = Number(process.argv[2] ?? 60);
const { crashes, restarts, early, lateness, cpu } = await crowd(1000, 0.1, seconds);
const half = lateness.length >> 1;
const [before, after] = [lateness.slice(0, half), lateness.slice(half)];
const summary = (numbers: readonly number[]): string =>
  [0.5, 0.99].map((share) => `p${share * 100} ${quantile(numbers, share).toFixed(2)} ms`).join(", ");

const lines = [
  `${crashes} crashes in ${seconds} s, ${restarts} restarts, ${early} of them early`,
  `late in the first half by ${summary(before)}; in the second by ${summary(after)}`,
  `the main thread was busy for ${(cpu * 100).toFixed(2)} % of the time`,
];
process.stdout.write(`${lines.join("\n")}\n`);
const drift = quantile(after, 0.5) - quantile(before, 0.5);
if (restarts !== crashes || early > 0 || drift > NOISE || cpu > BUSY) process.exitCode = 1;
