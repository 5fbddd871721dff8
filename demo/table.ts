// The table that compares the two sides.
import type { Measured } from "./work.ts";

interface Row {
  readonly label: string;
  readonly value: (side: Measured) => number;
  readonly show: (value: number) => string;
  readonly moreIsBetter?: boolean;
}

const ROWS: readonly Row[] = [
  { label: "time", value: (m) => m.seconds, show: (v) => `${v.toFixed(2)} s` },
  { label: "launches a second", value: (m) => m.launches / m.seconds, show: (v) => v.toFixed(0), moreIsBetter: true },
  { label: "longest block of the main thread", value: (m) => m.delay.max, show: (v) => `${v.toFixed(1)} ms` },
  { label: "event-loop delay, 99th percentile", value: (m) => m.delay.p99, show: (v) => `${v.toFixed(1)} ms` },
];

/** Below this, a delay is noise and its ratio says nothing. */
const LEAST = 0.05;

/** One line for each figure; the ratio says how much better `ours` is. */
export function formatTable(ours: Measured, theirs: Measured): string {
  const lines = [["", ours.name, theirs.name, "ratio"]];
  for (const { label, value, show, moreIsBetter = false } of ROWS) {
    const [a, b] = [value(ours), value(theirs)];
    const ratio = moreIsBetter ? a / b : Math.max(b, LEAST) / Math.max(a, LEAST);
    lines.push([label, show(a), show(b), `${ratio.toFixed(1)} x`]);
  }
  const widths = [0, 1, 2, 3].map((i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("   "),
    )
    .join("\n");
}
