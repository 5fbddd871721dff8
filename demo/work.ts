// Does all the work on one side and measures it.
import { createHash, type Hash } from "node:crypto";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Side } from "./helpers.ts";

/** What one side did. */
export interface Measured {
  readonly name: string;
  readonly launches: number;
  readonly seconds: number;
  /** Longest time for which the main thread's event loop stood still, in milliseconds. */
  readonly longestBlock: number;
  /** 99th percentile of the event loop's delay, in milliseconds. */
  readonly delayP99: number;
  /** By file. */
  readonly sha256: ReadonlyMap<string, string>;
  readonly compressedBytes: number;
  /** Of all compressed files, in order. */
  readonly digest: string;
}

/** The delay monitor's timer is due every millisecond; what it is late by is the delay. */
const PROBE_MS = 1;

/** Each file takes two launches; `concurrency` launches are under way at most. */
export async function measure(
  side: Side,
  files: readonly string[],
  concurrency: number,
  onProgress: (done: number) => void,
): Promise<Measured> {
  for (const file of files.slice(0, concurrency)) await side.process(file);
  const sha256 = new Map<string, string>();
  const compressed = new Map<string, { bytes: number; digest: Buffer }>();
  const delay = monitorEventLoopDelay({ resolution: PROBE_MS });
  delay.enable();
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      const outcome = await side.process(file);
      sha256.set(file, outcome.sha256);
      compressed.set(file, { bytes: outcome.compressed.length, digest: createHash("sha1").update(outcome.compressed).digest() });
      onProgress(sha256.size);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency >> 1) }, worker));
  const seconds = (performance.now() - start) / 1000;
  delay.disable();
  const all: Hash = createHash("sha256");
  let compressedBytes = 0;
  for (const file of files) {
    const { bytes, digest } = compressed.get(file) ?? { bytes: 0, digest: Buffer.alloc(0) };
    compressedBytes += bytes;
    all.update(digest);
  }
  return {
    name: side.name,
    launches: files.length * 2,
    seconds,
    longestBlock: Math.max(0, delay.max / 1e6 - PROBE_MS),
    delayP99: Math.max(0, delay.percentile(99) / 1e6 - PROBE_MS),
    sha256,
    compressedBytes,
    digest: all.digest("hex"),
  };
}
