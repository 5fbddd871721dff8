// How contestants look: the same in every plot, told apart by shape as well as
// by colour. The colours are near Okabe and Ito's and Tol's, which people with
// any colour vision can tell from each other, and dark enough for text on white.
import { contestantOf, isFloor, isOurs } from "../report/contestants.ts";

/** What a contestant is drawn with. */
export interface Look {
  readonly color: string;
  readonly symbol: string;
  readonly width: number;
  readonly weight: number;
  readonly radius: number;
  /** For lines; undefined for solid ones. */
  readonly dash: string | undefined;
}

/** Text and axes. */
export const INK = "#1f2328";
/** Text that matters less. */
export const FAINT_INK = "#59636e";

const OURS = "#d55e00";
const FLOOR = "#848d97";
const COLORS = ["#0072b2", "#009e73", "#9a7b00", "#aa4499", "#332288", "#3a9bdc", "#882255", "#44aa99", "#6b4c2a"];
const SYMBOLS = ["square", "triangle", "diamond", "star", "wye", "cross", "hexagon"];
/** For variants of one contestant. */
const VARIANT_SYMBOLS = ["circle", "square", "diamond", "triangle", "star", "cross"];
const DASHES = [undefined, "8 3", "2 3", "8 3 2 3"];
const FLOOR_DASHES = ["6 4", "2 3", "10 3 2 3", "10 4"];

/** Whose place in the palette is fixed, so that a newcomer takes nobody's. */
const FIRST = [
  "child_process",
  "execa",
  "tinyexec",
  "nano-spawn",
  "Bun.spawn",
  "Deno.Command",
  "sigchld",
  "Go os/exec",
];

/** Gives looks to labels. */
export class Looks {
  readonly #order: readonly string[];
  readonly #contestants: readonly string[];

  constructor(contestants: ReadonlySet<string>) {
    const names = new Set([...contestants].map(contestantOf));
    const rest = [...names].filter((name) => !isOurs(name) && !isFloor(name) && !FIRST.includes(name));
    this.#order = [...FIRST, ...rest];
    this.#contestants = [...contestants];
  }

  /** Variants of one contestant share its colour. */
  of(label: string): Look {
    const name = contestantOf(label);
    const variants = this.#contestants.filter((other) => contestantOf(other) === name);
    const variant = Math.max(0, variants.indexOf(label));
    const plain = { width: 1.75, weight: 400, radius: 4.5 };
    if (isFloor(label)) {
      return { ...plain, color: FLOOR, symbol: pick(VARIANT_SYMBOLS, variant), dash: pick(FLOOR_DASHES, variant) };
    }
    const dash = pick(DASHES, variant);
    if (isOurs(label)) {
      const symbol = pick(VARIANT_SYMBOLS, variant);
      return { color: OURS, symbol, width: variant === 0 ? 3 : 2, weight: 700, radius: 5.5, dash };
    }
    const place = this.#order.indexOf(name);
    // No contestant: a step, or something else that does not compete.
    if (place < 0) return { ...plain, color: INK, symbol: "circle", dash: undefined };
    return { ...plain, color: pick(COLORS, place), symbol: pick(SYMBOLS, place + variant), dash };
  }
}

function pick<T>(items: readonly T[], i: number): T {
  return items[i % items.length] as T;
}
