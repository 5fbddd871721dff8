// The plotting packages, which only this folder's own package.json installs: the
// rest of the project compiles without them. So they are loaded at run time, and
// what is used of them is declared here.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../root.ts";

/** What plots are made with. */
export interface Library {
  readonly plot: Plot;
  /** One for every plot: Observable Plot builds SVG elements in it. */
  readonly document: object;
}

/** A value of each datum. Plot would take a string for the name of a field. */
export type Channel<T, V> = (datum: T) => V;

/** Where and how a mark shows its data. */
export interface MarkOptions<T> {
  readonly x?: Channel<T, number>;
  readonly x1?: Channel<T, number>;
  readonly x2?: Channel<T, number>;
  readonly y?: Channel<T, number | string>;
  readonly y1?: Channel<T, number>;
  readonly y2?: Channel<T, number>;
  readonly text?: Channel<T, string>;
  readonly fill?: string;
  readonly fillOpacity?: number;
  readonly stroke?: string;
  readonly strokeOpacity?: number;
  readonly strokeWidth?: number;
  readonly strokeDasharray?: string;
  readonly symbol?: string;
  readonly r?: number;
  readonly dx?: number;
  readonly dy?: number;
  readonly textAnchor?: "start" | "middle" | "end";
  readonly lineAnchor?: "top" | "middle" | "bottom";
  readonly frameAnchor?: "left" | "right" | "bottom" | "top" | "bottom-left" | "top-left";
  readonly fontSize?: number;
  readonly fontWeight?: number;
}

/** A layer of a plot. */
export type Mark = object;

/** The scale of a plot; its axis is a mark. */
export interface ScaleOptions {
  readonly type: "log" | "point";
  readonly domain: readonly (number | string)[];
  readonly padding?: number;
  readonly axis: null;
}

/** How an axis is labelled. */
export interface AxisOptions {
  /** What each tick says. A scale's own tickFormat would leave out some of a logarithmic one's. */
  readonly text: (tick: number) => string;
  readonly tickSize: number;
  readonly label: string;
  readonly labelAnchor: "center";
  readonly labelArrow: "none";
  readonly labelOffset: number;
}

/** A plot without its marks. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly marginTop: number;
  readonly marginRight: number;
  readonly marginBottom: number;
  readonly marginLeft: number;
  readonly style?: Readonly<Record<string, string>>;
  readonly x: ScaleOptions;
  readonly y: ScaleOptions;
}

/** What is used of Observable Plot. */
export interface Plot {
  plot(options: Frame & { readonly document: object; readonly marks: readonly Mark[] }): { readonly outerHTML: string };
  dot<T>(data: readonly T[], options: MarkOptions<T>): Mark;
  line<T>(data: readonly T[], options: MarkOptions<T>): Mark;
  link<T>(data: readonly T[], options: MarkOptions<T>): Mark;
  ruleX<T>(data: readonly T[], options: MarkOptions<T>): Mark;
  ruleY<T>(data: readonly T[], options: MarkOptions<T>): Mark;
  text<T>(data: readonly T[], options: MarkOptions<T>): Mark;
  axisX(ticks: readonly number[], options: AxisOptions): Mark;
  axisY(ticks: readonly number[], options: AxisOptions): Mark;
  gridX(ticks: readonly number[], options: MarkOptions<number>): Mark;
  gridY(ticks: readonly number[], options: MarkOptions<number>): Mark;
}

/** Loads both packages; the error says how to install them where they are missing. */
export async function loadLibrary(): Promise<Library> {
  const { resolve } = createRequire(join(ROOT, "bench/plots/package.json"));
  const load = async (name: string): Promise<unknown> => {
    let file: string;
    try {
      file = resolve(name);
    } catch (error) {
      throw new Error(`${name} is not installed; npm ci --prefix bench/plots does it`, { cause: error });
    }
    return import(pathToFileURL(file).href);
  };
  const plot = (await load("@observablehq/plot")) as Plot;
  const { parseHTML } = (await load("linkedom")) as { parseHTML: (html: string) => { document: object } };
  return { plot, document: parseHTML("<!doctype html><html><body></body></html>").document };
}
