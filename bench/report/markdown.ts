// Pieces of Markdown, laid out as the formatter would: what is written here
// passes its check unchanged.

/** A column of a table. */
export interface Column {
  readonly head: string;
  readonly right?: boolean;
}

/** A table with aligned columns. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map(({ head }) => head), ...rows].map((row) => row.map(escapeCell));
  const widths = columns.map((_, i) => Math.max(3, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${columns.map(({ right }, i) => pad(row[i] ?? "", widths[i] ?? 0, right)).join(" | ")} |`;
  const rule = columns.map(({ right }, i) =>
    right ? `${"-".repeat((widths[i] ?? 0) - 1)}:` : "-".repeat(widths[i] ?? 0),
  );
  const [head = [], ...body] = cells;
  return [line(head), line(rule), ...body.map(line)].join("\n");
}

/** Blocks with an empty line between each two. */
export function blocks(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join("\n\n");
}

/** A list with bullets. */
export function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${escapeText(item)}`).join("\n");
}

/** Text of others, in which nothing is markup. */
export function escapeText(text: string): string {
  return text.replaceAll(/[\\`*<>[\]]|(?<!\w)_|_(?!\w)/g, String.raw`\$&`);
}

function escapeCell(cell: string): string {
  return cell.replaceAll("|", String.raw`\|`);
}

function pad(cell: string, width: number, right = false): string {
  return right ? cell.padStart(width) : cell.padEnd(width);
}
