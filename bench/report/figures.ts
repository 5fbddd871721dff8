// Numbers as people read them, the same in terminals, tables and plots.

/** Thousands apart, and no line break within. */
const GAP = "\u00a0";

/** Three significant digits, and never fewer than those before the point. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  const digits = value === 0 ? 0 : Math.min(6, Math.max(0, 2 - magnitude));
  return withGaps(value, digits, digits);
}

/** A number that is exact: no zeros that it does not need. */
export function count(value: number): string {
  return withGaps(value, 0, 6);
}

/** How many times: 13.3 ×. */
export function times(ratio: number): string {
  if (!Number.isFinite(ratio)) return "–";
  const digits = ratio >= 100 || ratio === 0 ? 0 : ratio >= 10 ? 1 : ratio >= 0.1 ? 2 : 3;
  return `${withGaps(ratio, digits, digits)}${GAP}×`;
}

function withGaps(value: number, least: number, most: number): string {
  const options = { minimumFractionDigits: least, maximumFractionDigits: most };
  return value.toLocaleString("en-US", options).replaceAll(",", GAP);
}
