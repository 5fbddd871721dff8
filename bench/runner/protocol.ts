// What the harness and a contestant's runner say to each other: one order a
// line on the runner's stdin, one answer a line on its stdout, both JSON.
// When stdin ends, the runner stops its children and exits.
import type { Delay } from "../delay.ts";

/** Answers by order; `milliseconds` in an answer is what it took. */
export interface Orders {
  /** Allocates memory, touches every page of it, and keeps it. */
  memory: {
    order: { readonly megabytes: number; readonly kind: MemoryKind };
    answer: { readonly residentMegabytes: number };
  };
  /** Launches for that long, but at least so many; `delay` asks for the event loop's delay meanwhile. */
  churn: {
    order: {
      readonly file: string;
      readonly inFlight: number;
      readonly milliseconds: number;
      readonly least: number;
      readonly delay: boolean;
    };
    answer: { readonly launches: number; readonly milliseconds: number; readonly delay: Delay | null };
  };
  /** Does nothing, and tells the event loop's delay meanwhile. */
  quiet: { order: { readonly milliseconds: number }; answer: { readonly delay: Delay | null } };
  /** Starts children that stay. */
  fill: { order: { readonly file: string; readonly count: number }; answer: { readonly milliseconds: number } };
  /** Kills those children. */
  drain: { order: object; answer: { readonly milliseconds: number } };
}

/** Within V8's heap, or outside of it, where Buffers, wasm and native code have theirs. */
export type MemoryKind = "heap" | "buffers";

/** An order as it is sent. */
export type OrderMessage = { [K in keyof Orders]: { readonly op: K } & Orders[K]["order"] }[keyof Orders];

/** An answer as it is sent. */
export type AnswerMessage = { readonly error: string } | Orders[keyof Orders]["answer"];
