// The plot of a scenario: a panel for each group, all on the same scale.
import { arrange, type Panel } from "../report/panel.ts";
import type { Result } from "../report/result.ts";
import { CURVES_MARGIN_LEFT, drawCurves, heightForNames, nameWidth } from "./curves.ts";
import { DOTS_MARGIN_RIGHT, drawDots, labelWidth } from "./dots.ts";
import type { Library } from "./library.ts";
import { Looks } from "./look.ts";
import { scaleAround, scaleAt } from "./scale.ts";
import { compose, WIDTH, type Piece } from "./svg.ts";

/** With more panels than this, curves stand in two columns. */
const MOST_IN_A_COLUMN = 2;
/** For the figures of a tick. */
const TICK_ROOM = 50;
const GAP = 8;

/** Draws a scenario; the same bytes from the same result. */
export function renderPlot(library: Library, result: Result, contestants: ReadonlySet<string>): string {
  const panels = arrange(result, contestants);
  const looks = new Looks(contestants);
  const pieces: Piece[] = [];
  for (const set of alike(panels)) {
    const top = Math.max(0, ...pieces.map(({ y, height }) => y + height));
    pieces.push(...(isCurve(set[0]) ? layCurves(library, result, set, looks, top) : layDots(library, set, looks, top)));
  }
  return compose({ title: `${result.scenario}: ${result.title}`, subtitle: explain(panels) }, pieces);
}

type Panels = readonly [Panel, ...Panel[]];

/** Panels that can share a scale: of one kind, in one unit. */
function alike(panels: readonly Panel[]): Panels[] {
  const sets = new Map<string, [Panel, ...Panel[]]>();
  for (const panel of panels) {
    const key = `${isCurve(panel)} ${panel.better} ${panel.unit}`;
    const set = sets.get(key);
    if (set === undefined) sets.set(key, [panel]);
    else set.push(panel);
  }
  return [...sets.values()];
}

function isCurve({ entries }: Panel): boolean {
  return new Set(entries.map(({ x }) => x)).size > 1;
}

function explain(panels: readonly Panel[]): string {
  const ratios = panels.some((panel) => panel.reference !== undefined && !isCurve(panel));
  return `Symbol: median. Line: from the least to the greatest round. Faint: each round.${ratios ? " ×: as a multiple of pidpool's." : ""}`;
}

function layDots(library: Library, panels: Panels, looks: Looks, top: number): Piece[] {
  const marginLeft = labelWidth(panels);
  const scale = scaleAround(samplesOf(panels), Math.floor((WIDTH - marginLeft - DOTS_MARGIN_RIGHT) / TICK_ROOM));
  const pieces: Piece[] = [];
  let y = top;
  for (const [i, panel] of panels.entries()) {
    const piece = drawDots(library, panel, { looks, scale, marginLeft }, y, i === panels.length - 1);
    pieces.push(piece);
    y += piece.height;
  }
  return pieces;
}

function layCurves(library: Library, result: Result, panels: Panels, looks: Looks, top: number): Piece[] {
  const columns = panels.length > MOST_IN_A_COLUMN ? 2 : 1;
  const width = WIDTH / columns;
  const height = Math.max(panels.length === 1 ? 420 : 320, heightForNames(panels));
  const marginRight = nameWidth(panels);
  const xs = panels.flatMap(({ entries }) => entries.flatMap(({ x }) => (x === undefined ? [] : [x])));
  const scaleX = scaleAt(xs, TICK_ROOM / (width - marginRight - CURVES_MARGIN_LEFT));
  const scaleY = scaleAround(samplesOf(panels), Math.floor(height / 30));
  const layout = { looks, scaleX, scaleY, axis: result.axis ?? "", width, height, marginRight };
  return panels.map((panel, i) =>
    drawCurves(library, panel, layout, (i % columns) * width, top + Math.floor(i / columns) * (height + GAP)),
  );
}

function samplesOf(panels: readonly Panel[]): number[] {
  return panels.flatMap(({ entries }) => entries.flatMap(({ samples }) => samples));
}
