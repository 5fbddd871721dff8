// A drawing of several plots with a heading, as one SVG file that stands for
// itself: white behind, so that it reads on dark pages too.
import { FAINT_INK, INK } from "./look.ts";

/** A part of the drawing. */
export interface Piece {
  readonly svg: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is written above. */
export interface Heading {
  readonly title: string;
  readonly subtitle: string;
}

/** Of every drawing. */
export const WIDTH = 880;

const PADDING = 16;
const TOP = 6;
const TITLE_SIZE = 15;
const SUBTITLE_SIZE = 12;
/** Of a character, as a share of the font's size: a guess on the safe side, as the reader's font is not known. */
const CHARACTER = 0.6;

/** How wide a text may get. */
export function textWidth(text: string, size: number): number {
  return text.length * size * CHARACTER;
}

/** Puts the pieces under the heading; their places count from its lower edge. */
export function compose({ title, subtitle }: Heading, pieces: readonly Piece[]): string {
  const titleLines = wrap(title, TITLE_SIZE);
  const subtitleLines = wrap(subtitle, SUBTITLE_SIZE);
  let y = TOP;
  const text = (line: string, size: number, attributes: string): string =>
    `<text x="${PADDING}" y="${(y += Math.round(size * 1.35))}" font-size="${size}" ${attributes}>${escape(line)}</text>`;
  const heading = [
    ...titleLines.map((line) => text(line, TITLE_SIZE, `font-weight="600" fill="${INK}"`)),
    ...subtitleLines.map((line) => text(line, SUBTITLE_SIZE, `fill="${FAINT_INK}"`)),
  ];
  const top = y + 10;
  const height = top + Math.max(0, ...pieces.map((piece) => piece.y + piece.height)) + PADDING / 2;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif" color="${INK}">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    ...heading,
    ...pieces.map((piece) => piece.svg.replace("<svg ", `<svg x="${piece.x}" y="${top + piece.y}" `)),
    "</svg>",
  ].join("\n")}\n`;
}

function wrap(text: string, size: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer, size) > WIDTH - 2 * PADDING) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
