// Waiting for what will come, without a guess at how long that takes.
import { setTimeout as sleep } from "node:timers/promises";

/** Looks again and again until `condition` holds; the test's own timeout is the only bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** Resolves once a stream has produced this text; resolves to all it has produced. */
export async function said(stream: AsyncIterable<Buffer | string>, text: string): Promise<string> {
  let all = "";
  // A loop over the stream itself would destroy it on the way out.
  const iterator = stream[Symbol.asyncIterator]();
  while (!all.includes(text)) {
    const { done, value } = await iterator.next();
    if (done === true) throw new Error(`the stream ended with ${JSON.stringify(all)}`);
    all += value.toString();
  }
  return all;
}
