// Waiting for what a child does, without a guess at how long that takes.
import type { ProcessPool } from "pidpool";

/** Resolves once a stream has produced this text; resolves to all it has produced. */
export async function said(stream: AsyncIterable<Buffer | string>, text: string): Promise<string> {
  let all = "";
  // A loop over the stream itself would destroy it on the way out.
  const iterator = stream[Symbol.asyncIterator]();
  while (!all.includes(text)) {
    const next = await iterator.next();
    if (next.done === true) throw new Error(`the stream ended with ${JSON.stringify(all)}`);
    all += next.value.toString();
  }
  return all;
}

/** Calls `start`, which runs a child, and resolves once that child's program runs. */
export async function running<T>(pool: ProcessPool, start: () => Promise<T>): Promise<{ run: Promise<T> }> {
  const spawned = new Promise<void>((resolve) => pool.once("spawn", () => resolve()));
  const run = start();
  await spawned;
  return { run };
}
