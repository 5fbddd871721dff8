// What this process holds at a moment at which nothing is under way, and whether
// that grows from one moment to the next.
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { collectGarbage } from "../helpers/collect.ts";
import { openFds } from "../helpers/processes.ts";

const MEBIBYTE = 1024 * 1024;
/** What one collection frees may be needed to free something else; weak references and finalizers take a turn. */
const COLLECTIONS = 4;
/** Turns of the loop in which streams close their fds. */
const MOST_TURNS = 1000;

/** Each may be as large as it likes, but must not grow. */
export interface Sample {
  /** MiB of JavaScript objects after a collection, and of memory that they hold outside the heap. */
  readonly heap: number;
  readonly external: number;
  /** MiB of resident memory of the whole process, with all its threads. */
  readonly rss: number;
  readonly fds: number;
  readonly threads: number;
  /** Lines of /proc/self/maps. */
  readonly mappings: number;
  /** Listeners of `process`. */
  readonly listeners: number;
  /** What the event loop knows of: timers, handles, requests. */
  readonly resources: number;
}

export type Figure = keyof Sample;

/**
 * By how much a figure may be larger later. Memory is the allocators' to give back: the supervisor threads, whose heaps
 * nobody collects here, fill theirs with garbage until V8 thinks it worth while; each page of theirs is a mapping.
 */
export const NOISE: Readonly<Record<Figure, number>> = {
  heap: 1,
  external: 1,
  rss: 32,
  fds: 0,
  threads: 0,
  mappings: 128,
  listeners: 0,
  resources: 0,
};

export const FIGURES: readonly Figure[] = Object.keys(NOISE) as Figure[];

/** Waits until as many fds and handles are open as at rest, in vain where something has leaked. */
async function settle(rest: Sample | undefined): Promise<void> {
  if (rest === undefined) return;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    if (openFds().length <= rest.fds && process.getActiveResourcesInfo().length <= rest.resources) return;
    await nextTurn();
  }
}

/** @param rest What there was when nothing was under way before. */
export async function takeSample(rest?: Sample): Promise<Sample> {
  await settle(rest);
  for (let i = 0; i < COLLECTIONS; i++) {
    collectGarbage();
    await nextTurn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    heap: heapUsed / MEBIBYTE,
    external: external / MEBIBYTE,
    rss: rss / MEBIBYTE,
    fds: openFds().length,
    threads: readdirSync("/proc/self/task").length,
    mappings: readFileSync("/proc/self/maps", "latin1").split("\n").length - 1,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    resources: process.getActiveResourcesInfo().length,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** What each ended thread leaves that has called koffi: its stack with a guard page, its heap, and its tables. */
export const LEFT_BY_KOFFI: Readonly<Record<"mappings" | "rss", number>> = { mappings: 3, rss: 0.05 };

/**
 * What has grown from the second fifth of the samples to the last, in words; empty where nothing has.
 *
 * @param threads How many threads have ended meanwhile, at most.
 */
export function growth(samples: readonly Sample[], threads: number = 0): string[] {
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  const [early, late] = [samples.slice(fifth, 2 * fifth), samples.slice(-fifth)];
  return FIGURES.flatMap((figure) => {
    const [before, after] = [early, late].map((some) => median(some.map((sample) => sample[figure])));
    const left = figure === "mappings" || figure === "rss" ? LEFT_BY_KOFFI[figure] * threads : 0;
    if (before === undefined || after === undefined || after - before <= NOISE[figure] + left) return [];
    return [`${figure} grew from ${short(before)} to ${short(after)}`];
  });
}

/** MiB with one decimal place, counts as they are. */
export function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

/** A row of a table, each cell as wide as its column's name or eight characters. */
export function row(cells: readonly (string | number)[]): string {
  return cells.map((cell) => (typeof cell === "number" ? short(cell) : cell).padStart(10)).join("");
}
