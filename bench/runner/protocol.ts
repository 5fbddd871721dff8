// What the harness and a contestant's runner say to each other: one order a
// line on the runner's stdin, one answer a line on its stdout, both JSON.
// When stdin ends, the runner stops its children and exits.
import type { Delay } from "../delay.ts";

/** How long a measurement of many runs takes. */
export interface Effort {
  /** Runs at a time. */
  readonly inFlight: number;
  /** Runs are begun for so long, and until there have been `least` of them. */
  readonly milliseconds: number;
  readonly least: number;
  /** None is begun after so long, even if that leaves fewer than `least`. */
  readonly most: number;
}

/** `milliseconds` is what `launches` of them took, to the last report. */
export interface Outcome {
  readonly launches: number;
  readonly milliseconds: number;
}

/** Answers by order. */
export interface Orders {
  /** Allocates memory, touches every page of it, and keeps it. */
  memory: {
    order: { readonly megabytes: number; readonly kind: MemoryKind };
    answer: { readonly residentMegabytes: number };
  };
  /** Runs a program again and again; `delay` asks for the event loop's delay meanwhile. */
  churn: {
    order: Effort & { readonly file: string; readonly delay: boolean };
    answer: Outcome & { readonly delay: Delay | null };
  };
  /** The same with its output captured; `bytes` is what one run gave. */
  capture: {
    order: Effort & { readonly file: string; readonly args: readonly string[] };
    answer: Outcome & { readonly bytes: number };
  };
  /** The same with so many bytes of input. */
  feed: {
    order: Effort & { readonly file: string; readonly args: readonly string[]; readonly bytes: number };
    answer: Outcome;
  };
  /** Runs a program so often, asking for all runs at once. */
  burst: {
    order: { readonly file: string; readonly count: number };
    answer: Outcome & { readonly delay: Delay | null };
  };
  /** Runs a program again and again, one at a time, each run timed by itself; microseconds. */
  latency: {
    order: Omit<Effort, "inFlight"> & { readonly file: string };
    answer: { readonly launches: number; readonly p50: number; readonly p99: number };
  };
  /** Does nothing, and tells the event loop's delay meanwhile. */
  quiet: { order: { readonly milliseconds: number }; answer: { readonly delay: Delay | null } };
  /**
   * Starts children that live until the release, beside those that do already. The program ends when its stdin
   * does: the read end of one pipe, which all of them share. `most` as above; `launches` says how many there were.
   */
  hold: { order: { readonly file: string; readonly count: number; readonly most: number }; answer: Outcome };
  /** Lets all of them go at once, and waits for the last report. */
  release: { order: object; answer: Release };
  /** Keeps so many processes of a program alive from now on. */
  keep: { order: { readonly file: string; readonly args: readonly string[]; readonly count: number }; answer: Done };
  /** Begins to watch what keeping them costs; the next one ends that and tells. */
  watch: { order: object; answer: Done };
  watched: { order: object; answer: Watched };
  /** What this process takes, after garbage collection. */
  usage: { order: object; answer: { readonly heapBytes: number; readonly residentBytes: number } };
}

/** How the exits of many children at once were taken. */
export interface Release extends Outcome {
  /** CPU time in microseconds: of the threads that reap, of the main thread, and of all. */
  readonly cpu: { readonly reaper: number; readonly main: number; readonly process: number };
  /** Turns of the event loop in which exits were reported, the most in one of them, and the most CPU time of one in ms. */
  readonly turns: number;
  readonly largest: number;
  readonly longest: number;
  readonly delay: Delay | null;
}

/** Where there is nothing else to tell. */
export interface Done {
  readonly ok: true;
}

/** What something cost: CPU time in microseconds of the main thread and of all, and the event loop's delay. */
export interface Watched {
  readonly main: number;
  readonly process: number;
  readonly delay: Delay | null;
}

/** Within V8's heap, or outside of it, where Buffers, wasm and native code have theirs. */
export type MemoryKind = "heap" | "buffers";

/** An order as it is sent. */
export type OrderMessage = { [K in keyof Orders]: { readonly op: K } & Orders[K]["order"] }[keyof Orders];

/** An answer as it is sent. */
export type AnswerMessage = { readonly error: string } | Orders[keyof Orders]["answer"];
