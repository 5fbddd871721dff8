// Logarithmic axes on which a zero can be shown: it has a place of its own, one
// step below the least figure above it.
import { count } from "../report/figures.ts";
import type { Panel } from "../report/panel.ts";

/** An axis. */
export interface LogScale {
  readonly domain: readonly [number, number];
  readonly ticks: readonly number[];
  /** Lines without figures between the ticks. */
  readonly minorTicks: readonly number[];
  /** What stands for zero, where there is one. */
  readonly zero: number | undefined;
  /** The least figure above zero. */
  readonly low: number;
  /** Where a figure is on it. */
  readonly place: (value: number) => number;
  /** What a tick says. */
  readonly format: (tick: number) => string;
}

/** What an axis of figures says. */
export function axisLabel({ unit, better }: Pick<Panel, "unit" | "better">): string {
  return better === "neither" ? unit : `${unit}, ${better} is better`;
}

/** Of the whole axis, between the least figure and zero. */
const ZERO_SHARE = 0.16;

/** An axis from one round number to another, for figures that were measured. */
export function scaleAround(values: readonly number[], mostTicks: number): LogScale {
  const above = values.filter((value) => value > 0);
  let [low, high] = above.length === 0 ? [1, 10] : [roundDown(Math.min(...above)), roundUp(Math.max(...above))];
  if (high / low < 4) [low, high] = [roundDown(low / 1.5), roundUp(high * 1.5)];
  const fine = steps(low, high, [1, 2, 5]);
  const decades = steps(low, high, [1]);
  const every = Math.ceil(decades.length / mostTicks);
  const ticks = fine.length <= mostTicks ? fine : decades.filter((_, i) => i % every === 0);
  const minor = fine.length <= mostTicks ? [] : decades.length <= mostTicks ? fine : decades;
  return build(low, high, ticks, minor, values);
}

/** An axis for points that were chosen, with ticks at them as far as there is room: `room` is the least share between two. */
export function scaleAt(points: readonly number[], room: number): LogScale {
  const above = [...new Set(points.filter((point) => point > 0))].toSorted((a, b) => a - b);
  const [low = 1, high = 10] = above.length === 0 ? [] : [above[0], above.at(-1)];
  if (low === high) return build(low / 2, high * 2, [low], [], points);
  const whole = Math.log(high / low);
  const ticks: number[] = [];
  const decades = above.filter((point) => Number.isInteger(Math.log10(point)));
  for (const point of [high, low, ...decades, ...above])
    if (ticks.every((tick) => Math.abs(Math.log(tick / point)) >= room * whole)) ticks.push(point);
  return build(
    low,
    high,
    ticks.toSorted((a, b) => a - b),
    above,
    points,
  );
}

function build(
  low: number,
  high: number,
  ticks: readonly number[],
  minorTicks: readonly number[],
  values: readonly number[],
): LogScale {
  const zero = values.some((value) => value <= 0) ? low / (high / low) ** ZERO_SHARE : undefined;
  const below = values.some((value) => value < 0) ? "≤ 0" : "0";
  return {
    domain: [zero ?? low, high],
    ticks: zero === undefined ? ticks : [zero, ...ticks],
    minorTicks: minorTicks.filter((tick) => !ticks.includes(tick)),
    zero,
    low,
    place: (value) => (value > 0 ? value : (zero ?? low)),
    format: (tick) => (tick === zero ? below : count(tick)),
  };
}

/** All products of a power of ten and one of the factors, from low to high. */
function steps(low: number, high: number, factors: readonly number[]): number[] {
  const result: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const factor of factors) {
      // Dividing keeps 0.001 what it is; multiplying by 10 ** -3 would not.
      const step = power < 0 ? factor / 10 ** -power : factor * 10 ** power;
      if (step >= low && step <= high) result.push(step);
    }
  return result;
}

function roundDown(value: number): number {
  return steps(value / 10, value, [1, 2, 5]).at(-1) ?? value;
}

function roundUp(value: number): number {
  return steps(value, value * 10, [1, 2, 5])[0] ?? value;
}
