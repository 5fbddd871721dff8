// A panel of figures that lie on an axis: a curve for each contestant, named at
// its end.
import type { Entry, Panel } from "../report/panel.ts";
import type { Library, Mark } from "./library.ts";
import { INK, type Look, type Looks } from "./look.ts";
import { axisLabel, type LogScale } from "./scale.ts";
import { spreadLabels } from "./labels.ts";
import { textWidth, type Piece } from "./svg.ts";

/** What the panels of a plot have in common. */
export interface CurvesLayout {
  readonly looks: Looks;
  readonly scaleX: LogScale;
  readonly scaleY: LogScale;
  readonly axis: string;
  readonly width: number;
  readonly height: number;
  readonly marginRight: number;
}

interface Curve {
  readonly who: string;
  readonly look: Look;
  readonly entries: readonly Entry[];
  readonly last: Entry;
  /** Where its name is, in pixels from the panel's top. */
  nameAt: number;
}

const FONT = 12;
const NAME_GAP = 15;
/** From the frame to the names. */
const LEADER = 18;
const AXIS = { labelAnchor: "center", labelArrow: "none" } as const;
/** For the figures of the unit. */
export const CURVES_MARGIN_LEFT = 74;
const MARGIN = { top: 30, bottom: 46, left: CURVES_MARGIN_LEFT };

/** How high a panel has to be at least, for its names. */
export function heightForNames(panels: readonly Panel[]): number {
  const most = Math.max(...panels.map(({ entries }) => new Set(entries.map(({ who }) => who)).size));
  return MARGIN.top + most * NAME_GAP + MARGIN.bottom;
}

/** How much room the names at the ends take. */
export function nameWidth(panels: readonly Panel[]): number {
  const widths = panels.flatMap(({ entries }) => entries.map(({ who }) => textWidth(who, FONT)));
  return Math.ceil(Math.max(60, ...widths)) + LEADER + 12;
}

/** Draws a panel. */
export function drawCurves(library: Library, panel: Panel, layout: CurvesLayout, x: number, y: number): Piece {
  const { scaleX, scaleY, width, height, marginRight, axis } = layout;
  const { plot } = library;
  const curves = takeCurves(panel, layout);
  const svg = plot.plot({
    document: library.document,
    width,
    height,
    marginTop: MARGIN.top,
    marginRight,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    style: { fontSize: `${FONT}px` },
    x: { type: "log", domain: scaleX.domain, axis: null },
    y: { type: "log", domain: scaleY.domain, axis: null },
    marks: [
      plot.gridY(scaleY.ticks, { strokeOpacity: 0.18 }),
      plot.gridY(scaleY.minorTicks, { strokeOpacity: 0.07 }),
      plot.gridX([...scaleX.ticks, ...scaleX.minorTicks], { strokeOpacity: 0.07 }),
      plot.axisX(scaleX.ticks, { ...AXIS, text: scaleX.format, tickSize: 6, label: axis, labelOffset: 40 }),
      plot.axisY(scaleY.ticks, { ...AXIS, text: scaleY.format, tickSize: 0, label: axisLabel(panel), labelOffset: 66 }),
      plot.text([panel.title], {
        text: (title) => title,
        frameAnchor: "top-left",
        textAnchor: "start",
        dy: -20,
        fontSize: 13,
        fontWeight: 600,
        fill: INK,
      }),
      ...breakMarks(library, scaleX),
      ...curves.flatMap((curve) => drawCurve(library, curve, layout)),
    ],
  }).outerHTML;
  return { svg, x, y, width, height };
}

/** pidpool's last, so that it lies on top. */
function takeCurves({ entries }: Panel, { looks, scaleY, height }: CurvesLayout): Curve[] {
  const measured = entries.filter(({ median, x }) => !Number.isNaN(median) && x !== undefined);
  const names = [...new Set(measured.map(({ who }) => who))];
  const curves = names.flatMap((who): Curve[] => {
    const own = measured.filter((entry) => entry.who === who);
    const last = own.at(-1);
    if (last === undefined) return [];
    return [{ who, look: looks.of(who), entries: own, last, nameAt: pixelOf(last.median, scaleY, height) }];
  });
  const wanted = curves.map(({ nameAt }) => nameAt);
  const places = spreadLabels(wanted, NAME_GAP, MARGIN.top, height - MARGIN.bottom);
  for (const [i, curve] of curves.entries()) curve.nameAt = places[i] ?? curve.nameAt;
  return curves.toSorted((a, b) => a.look.width - b.look.width);
}

function drawCurve({ plot }: Library, curve: Curve, layout: CurvesLayout): Mark[] {
  const { scaleX, scaleY, width: whole, height, marginRight } = layout;
  const { who, look, entries, last } = curve;
  const { color, symbol, radius, weight, width } = look;
  const dash = look.dash === undefined ? {} : { strokeDasharray: look.dash };
  const x = (entry: Entry): number => scaleX.place(entry.x ?? NaN);
  const rounds = entries.flatMap((entry) => entry.samples.map((sample) => ({ entry, sample })));
  const [start, end] = scaleX.domain;
  // Outside of the frame.
  const nameX = end * (end / start) ** (LEADER / (whole - marginRight - MARGIN.left));
  const nameY = valueAt(curve.nameAt, scaleY, height);
  return [
    plot.ruleX(entries, {
      x,
      y1: ({ min }) => scaleY.place(min),
      y2: ({ max }) => scaleY.place(max),
      stroke: color,
      strokeWidth: width,
      strokeOpacity: 0.55,
    }),
    plot.dot(rounds, {
      x: ({ entry }) => x(entry),
      y: ({ sample }) => scaleY.place(sample),
      r: 1.5,
      fill: color,
      fillOpacity: 0.3,
    }),
    plot.line(entries, { x, y: ({ median }) => scaleY.place(median), stroke: color, strokeWidth: width, ...dash }),
    plot.dot(entries, {
      x,
      y: ({ median }) => scaleY.place(median),
      r: radius - 0.5,
      symbol,
      fill: color,
      stroke: "white",
    }),
    // From the curve's end, which may be far from the panel's, to its name.
    plot.link([last], {
      x1: x,
      y1: ({ median }) => scaleY.place(median),
      x2: () => nameX,
      y2: () => nameY,
      stroke: color,
      strokeOpacity: 0.5,
      strokeWidth: 0.75,
    }),
    plot.text([last], {
      x: () => nameX,
      y: () => nameY,
      text: () => who,
      textAnchor: "start",
      dx: 4,
      fontWeight: weight,
      fill: color,
    }),
  ];
}

/** Says that there is a gap between zero and the rest. */
function breakMarks({ plot }: Library, { zero, low }: LogScale): Mark[] {
  if (zero === undefined) return [];
  return [
    plot.text([Math.sqrt(zero * low)], { x: (at) => at, text: () => "//", frameAnchor: "bottom", dy: 5, fill: INK }),
  ];
}

function pixelOf(value: number, scale: LogScale, height: number): number {
  const [low, high] = scale.domain;
  const share = Math.log(scale.place(value) / low) / Math.log(high / low);
  return height - MARGIN.bottom - share * (height - MARGIN.bottom - MARGIN.top);
}

function valueAt(pixel: number, { domain: [low, high] }: LogScale, height: number): number {
  const share = (height - MARGIN.bottom - pixel) / (height - MARGIN.bottom - MARGIN.top);
  return low * (high / low) ** share;
}
