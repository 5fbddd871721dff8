// Memory of this process: filled, and told.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { MemoryKind, Orders } from "./protocol.ts";

const MEGABYTE = 1024 * 1024;
/** Small enough for the ordinary spaces of V8's heap, and no pointers in it: the garbage collector has no more to do. */
const CHUNK_DOUBLES = 8192;
const CHUNKS_A_MEGABYTE = MEGABYTE / (CHUNK_DOUBLES * 8);
/** What one collection frees may be needed to free something else; weak references and finalizers take a turn. */
const COLLECTIONS = 4;

/** Makes so much memory of a kind, every page of which is in use while the result is. */
export function occupy(megabytes: number, kind: MemoryKind): readonly unknown[] {
  const memory: unknown[] = [];
  for (let i = 0; i < megabytes; i++) {
    if (kind === "buffers") memory.push(Buffer.alloc(MEGABYTE, 1));
    else
      for (let j = 0; j < CHUNKS_A_MEGABYTE; j++) memory.push(Array.from({ length: CHUNK_DOUBLES }, (_, k) => k + 0.5));
  }
  return memory;
}

/** In megabytes. */
export function residentMegabytes(): number {
  return Math.round(process.memoryUsage().rss / MEGABYTE);
}

/** What is in use once all garbage is gone. */
export async function usage(): Promise<Orders["usage"]["answer"]> {
  const collect = collector();
  for (let i = 0; i < COLLECTIONS; i++) {
    collect();
    await nextTurn();
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heapBytes: heapUsed, residentBytes: rss };
}

/** Forces a garbage collection, whatever flags this process was started with. */
function collector(): () => void {
  const bun = (globalThis as { Bun?: { gc(force: boolean): void } }).Bun;
  if (bun !== undefined) return () => bun.gc(true);
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
