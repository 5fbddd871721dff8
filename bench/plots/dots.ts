// A panel of figures that lie on no axis: one line each, best first where they
// compete, with the median in figures beside it.
import { figure, times } from "../report/figures.ts";
import type { Entry, Panel } from "../report/panel.ts";
import type { Library, Mark } from "./library.ts";
import { FAINT_INK, INK, type Looks } from "./look.ts";
import { axisLabel, type LogScale } from "./scale.ts";
import { textWidth, WIDTH, type Piece } from "./svg.ts";

/** What the panels of a plot have in common. */
export interface DotsLayout {
  readonly looks: Looks;
  readonly scale: LogScale;
  readonly marginLeft: number;
}

const ROW = 24;
const FONT = 12;
const TITLE = 26;
const AXIS = 44;
/** For the figures beside the dots. */
export const DOTS_MARGIN_RIGHT = 150;

/** How much room the labels take. */
export function labelWidth(panels: readonly Panel[]): number {
  const widths = panels.flatMap(({ entries }) => entries.map(({ who }) => textWidth(who, FONT)));
  return Math.ceil(Math.max(60, ...widths)) + 30;
}

/** Draws a panel; the last one of a plot has the axis. */
export function drawDots(library: Library, panel: Panel, layout: DotsLayout, y: number, last: boolean): Piece {
  const { looks, scale, marginLeft } = layout;
  const { better, reference } = panel;
  const sign = better === "higher" ? -1 : 1;
  const key = ({ median }: Entry): number => (Number.isNaN(median) ? Infinity : sign * median);
  const entries = reference === undefined ? panel.entries : panel.entries.toSorted((a, b) => key(a) - key(b) || 0);
  const names = entries.map(({ who }) => who);
  const height = TITLE + Math.max(1, entries.length) * ROW + (last ? AXIS : 6);
  const svg = library.plot.plot({
    document: library.document,
    width: WIDTH,
    height,
    marginTop: TITLE,
    marginRight: DOTS_MARGIN_RIGHT,
    marginBottom: last ? AXIS : 6,
    marginLeft,
    style: { fontSize: `${FONT}px` },
    x: { type: "log", domain: scale.domain, axis: null },
    y: { type: "point", domain: names, padding: 0.5, axis: null },
    marks: [
      library.plot.gridX(scale.ticks, { strokeOpacity: 0.18 }),
      library.plot.gridX(scale.minorTicks, { strokeOpacity: 0.07 }),
      ...(last ? [axis(library, scale, axisLabel(panel))] : []),
      library.plot.text([panel.title], {
        text: (title) => title,
        frameAnchor: "top-left",
        textAnchor: "start",
        dx: -marginLeft + 16,
        dy: -18,
        fontSize: 13,
        fontWeight: 600,
        fill: INK,
      }),
      ...entries.flatMap((entry) => drawEntry(library, entry, looks, scale)),
    ],
  }).outerHTML;
  return { svg, x: 0, y, width: WIDTH, height };
}

function axis({ plot }: Library, { ticks, format }: LogScale, label: string): Mark {
  return plot.axisX(ticks, {
    text: format,
    tickSize: 0,
    label,
    labelAnchor: "center",
    labelArrow: "none",
    labelOffset: 38,
  });
}

function drawEntry({ plot }: Library, entry: Entry, looks: Looks, scale: LogScale): Mark[] {
  const { who, samples, median, min, max, ratio } = entry;
  const { color, symbol, radius, weight, width } = looks.of(who);
  const ratioText = Number.isNaN(ratio) || ratio === 1 ? "" : ` · ${times(ratio)}`;
  const label = plot.text([who], {
    y: (name) => name,
    text: (name) => name,
    frameAnchor: "left",
    textAnchor: "end",
    dx: -12,
    fontWeight: weight,
    fill: INK,
  });
  const beside = { textAnchor: "start", dx: 12, fontWeight: weight, fill: weight > 400 ? INK : FAINT_INK } as const;
  if (Number.isNaN(median)) {
    return [label, plot.text([who], { y: () => who, text: () => "not measured", frameAnchor: "left", ...beside })];
  }
  return [
    label,
    plot.ruleY([entry], {
      x1: () => scale.place(min),
      x2: () => scale.place(max),
      y: () => who,
      stroke: color,
      strokeWidth: width,
    }),
    plot.dot(samples, { x: (sample) => scale.place(sample), y: () => who, r: 2.25, fill: color, fillOpacity: 0.3 }),
    plot.dot([entry], { x: () => scale.place(median), y: () => who, r: radius, symbol, fill: color, stroke: "white" }),
    plot.text([entry], {
      x: () => scale.place(max),
      y: () => who,
      text: () => figure(median) + ratioText,
      ...beside,
    }),
  ];
}
