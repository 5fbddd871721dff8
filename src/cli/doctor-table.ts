// The doctor's report as people read it: a table, beneath each part of it the
// remedies for what is missing there, and what follows from it all.
import type { ProbeReport, ProbeResult, ProbeStatus } from "../doctor/report.ts";
import { paint, wrap, type Look, type Style } from "./style.ts";

const LOOKS: Readonly<Record<ProbeStatus, Look>> = { yes: "green", limited: "yellow", no: "red" };
const STATUS_WIDTH = Math.max(...Object.keys(LOOKS).map(({ length }) => length));
/** A narrower column is of no use. */
const NARROWEST = 30;

/** The whole text that `pidpool doctor` prints. */
export function doctorTable(report: ProbeReport, version: string, style: Style): string {
  const { features } = report;
  const nameWidth = Math.max(...features.map(({ feature }) => feature.length));
  const lines = [head(report, version)];
  for (const group of new Set(features.map((result) => result.group))) {
    const results = features.filter((result) => result.group === group);
    lines.push("", paint(style, "bold", group));
    for (const result of results) lines.push(...row(result, nameWidth, style));
    lines.push(...remedies(results, style));
  }
  lines.push("", ...wrap(verdict(report), style.width), "");
  return lines.join("\n");
}

function head({ platform, kernel, arch, libc, node }: ProbeReport, version: string): string {
  const system = platform === "linux" ? `Linux ${kernel}` : `${platform} ${kernel}`;
  return `pidpool ${version}, Node ${node}, ${system}, ${[arch, libc].filter((part) => part !== null).join(", ")}`;
}

function row({ feature, status, detail, remedy, neededFor }: ProbeResult, nameWidth: number, style: Style): string[] {
  const left = `  ${feature.padEnd(nameWidth)}  `;
  const indent = left.length + STATUS_WIDTH + 2;
  const text = status === "yes" || remedy === null ? detail : `${detail}; needed for ${neededFor.join(", ")}`;
  const [first = "", ...rest] = wrap(text, room(indent, style));
  return [
    `${left}${paint(style, LOOKS[status], status.padEnd(STATUS_WIDTH))}  ${first}`,
    ...rest.map((line) => " ".repeat(indent) + line),
  ];
}

/** Each remedy once, with all that it is for. */
function remedies(results: readonly ProbeResult[], style: Style): string[] {
  const features = new Map<string, string[]>();
  for (const { feature, status, remedy } of results) {
    if (status === "yes" || remedy === null) continue;
    features.set(remedy, [...(features.get(remedy) ?? []), feature]);
  }
  const lines: string[] = [];
  for (const [remedy, names] of features) {
    const [first = "", ...rest] = wrap(`remedy for ${names.join(", ")}: ${remedy}`, room(4, style));
    lines.push(`  ${first}`, ...rest.map((line) => `    ${line}`));
  }
  return lines;
}

function room(indent: number, { width }: Style): number {
  return Math.max(NARROWEST, width - indent);
}

function verdict({ ready, features }: ProbeReport): string {
  if (!ready) return "pidpool cannot launch anything here.";
  const short = features.filter(({ status }) => status !== "yes").length;
  const all =
    short === 0
      ? "Everything works here."
      : `Launches work here. Of ${features.length} features, ${short} are missing or limited.`;
  const shared = features.find(({ feature }) => feature === "isolation-shared");
  if (shared?.status === "yes") return all;
  return `${all} The default isolation is refused: launches need isolation: "none", or the remedy above.`;
}
