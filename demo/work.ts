// Does all the work on one side and measures it.
import { createHash, type Hash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { DelayProbe, type Delay } from "../bench/delay.ts";
import type { Side } from "./helpers.ts";

/** What one side did. */
export interface Measured {
  readonly name: string;
  readonly launches: number;
  readonly seconds: number;
  /** Of the main thread's event loop; its longest is the longest block. */
  readonly delay: Delay;
  /** By file. */
  readonly sha256: ReadonlyMap<string, string>;
  readonly compressedBytes: number;
  /** Of all compressed files, in order. */
  readonly digest: string;
}

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
  const probe = new DelayProbe();
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let file = files[next++]; file !== undefined; file = files[next++]) {
      const outcome = await side.process(file);
      sha256.set(file, outcome.sha256);
      compressed.set(file, {
        bytes: outcome.compressed.length,
        digest: createHash("sha1").update(outcome.compressed).digest(),
      });
      onProgress(sha256.size);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency >> 1) }, worker));
  const seconds = (performance.now() - start) / 1000;
  const delay = probe.stop();
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
    delay,
    sha256,
    compressedBytes,
    digest: all.digest("hex"),
  };
}
