// Results as people read them, and as files.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "./machine.ts";
import { count, figure } from "./report/figures.ts";
import { ROOT } from "./root.ts";
import { isMet, type Bar, type Findings, type Scenario } from "./scenarios/scenario.ts";
import { summarize } from "./stats.ts";

/** The machine in two lines. */
export function formatMachine({
  cpu,
  cores,
  memoryGb,
  arch,
  kernel,
  transparentHugePages,
  load,
  versions,
}: Machine): string {
  const versionList = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${cpu}, ${cores} cores, ${memoryGb} GB, ${arch}, Linux ${kernel}, huge pages ${transparentHugePages}, load ${load.toFixed(2)}`,
    versionList.join(", "),
  ].join("\n");
}

/** A table of medians, then the bars, then the notes. */
export function formatFindings({ unit, axis, rows, bars, notes }: Findings): string {
  const lines: string[] = [];
  const labels = rows.map(({ label, x }) => (x === undefined ? label : `${label}, ${count(x)}`));
  const labelWidth = Math.max(...labels.map(({ length }) => length)) + 2;
  lines.push(`  ${"".padEnd(labelWidth)}${unit.padStart(12)}   min – max`);
  if (axis !== undefined) lines.push(`  by ${axis}`);
  let group: string | undefined;
  for (const [i, row] of rows.entries()) {
    if (row.group !== group) lines.push(`  ${row.group}${row.unit === undefined ? "" : `, ${row.unit}`}`);
    group = row.group;
    const { median, min, max } = summarize(row.samples);
    lines.push(
      `    ${(labels[i] ?? "").padEnd(labelWidth - 2)}${figure(median).padStart(12)}   ${figure(min)} – ${figure(max)}`,
    );
  }
  for (const note of notes) lines.push(`  note: ${note}`);
  for (const bar of bars) lines.push(`  bar: ${formatBar(bar)}`);
  return lines.join("\n");
}

/** One bar with its verdict. */
export function formatBar(bar: Bar): string {
  const met = isMet(bar);
  const verdict = met === undefined ? "not measured" : `${figure(bar.value)} ${bar.unit}, ${met ? "met" : "MISSED"}`;
  return `${bar.what}, ${bar.relation} ${bar.limit} ${bar.unit}: ${verdict}`;
}

/** Writes bench/results/<scenario>.json. */
export function saveFindings({ name, title }: Scenario, machine: Machine, findings: Findings): void {
  const { unit, axis, notes } = findings;
  const rows = findings.rows.map((row) => ({
    group: row.group,
    label: row.label,
    x: row.x,
    unit: row.unit,
    better: row.better,
    ...summarize(row.samples),
    samples: row.samples,
  }));
  const bars = findings.bars.map((bar) => ({ ...bar, met: isMet(bar) ?? null }));
  const date = new Date().toISOString().slice(0, 10);
  const directory = join(ROOT, "bench/results");
  mkdirSync(directory, { recursive: true });
  writeFileSync(
    join(directory, `${name}.json`),
    `${JSON.stringify({ scenario: name, title, date, machine, unit, axis, rows, bars, notes }, null, 2)}\n`,
  );
}
