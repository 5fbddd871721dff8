// What a runner does on an order, with a contestant that runs in Node.
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contestant, LiveChild } from "../contestants/contestant.ts";
import { probeDelay } from "../delay.ts";
import type { Orders } from "./protocol.ts";

/** Starting or killing many children goes so many at a time. */
const LANES = 64;
const MEGABYTE = 1024 * 1024;
/** Small enough for the ordinary spaces of V8's heap, and no pointers in it: the garbage collector has no more to do. */
const CHUNK_DOUBLES = 8192;
const CHUNKS_A_MEGABYTE = MEGABYTE / (CHUNK_DOUBLES * 8);

/** All that a runner can do. */
export class Tasks {
  readonly #contestant: Contestant;
  readonly #memory: unknown[] = [];
  #idle: LiveChild[] = [];

  constructor(contestant: Contestant) {
    this.#contestant = contestant;
  }

  memory({ megabytes, kind }: Orders["memory"]["order"]): Orders["memory"]["answer"] {
    for (let i = 0; i < megabytes; i++) {
      if (kind === "buffers") this.#memory.push(Buffer.alloc(MEGABYTE, 1));
      else
        for (let j = 0; j < CHUNKS_A_MEGABYTE; j++)
          this.#memory.push(Array.from({ length: CHUNK_DOUBLES }, (_, k) => k + 0.5));
    }
    return { residentMegabytes: Math.round(process.memoryUsage().rss / MEGABYTE) };
  }

  async churn({
    file,
    inFlight,
    milliseconds,
    least,
    delay,
  }: Orders["churn"]["order"]): Promise<Orders["churn"]["answer"]> {
    const probe = delay ? probeDelay() : undefined;
    const start = performance.now();
    let launches = 0;
    await lanes(inFlight, async () => {
      while (launches < least || performance.now() - start < milliseconds) {
        launches++;
        await this.#contestant.run(file);
      }
    });
    return { launches, milliseconds: performance.now() - start, delay: probe?.stop() ?? null };
  }

  async quiet({ milliseconds }: Orders["quiet"]["order"]): Promise<Orders["quiet"]["answer"]> {
    const probe = probeDelay();
    await sleep(milliseconds);
    return { delay: probe?.stop() ?? null };
  }

  async fill({ file, count }: Orders["fill"]["order"]): Promise<Orders["fill"]["answer"]> {
    const start = performance.now();
    let left = count;
    await lanes(LANES, async () => {
      while (left-- > 0) this.#idle.push(await this.#contestant.spawn(file));
    });
    return { milliseconds: performance.now() - start };
  }

  async drain(): Promise<Orders["drain"]["answer"]> {
    const start = performance.now();
    const idle = this.#idle;
    this.#idle = [];
    await lanes(LANES, async () => {
      for (let child = idle.pop(); child !== undefined; child = idle.pop()) await child.kill();
    });
    return { milliseconds: performance.now() - start };
  }
}

async function lanes(count: number, lane: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, lane));
}
