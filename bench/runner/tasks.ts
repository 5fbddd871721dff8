// What a runner does on an order, with a contestant that is a JavaScript module.
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contestant } from "../contestants/contestant.ts";
import { probeDelay, type DelayProbe } from "../delay.ts";
import { percentile } from "../stats.ts";
import { threadTimes, usedBetween, type ThreadTimes } from "./cpu.ts";
import { Crowd } from "./crowd.ts";
import { repeat } from "./effort.ts";
import { occupy, residentMegabytes, usage } from "./memory.ts";
import type { Orders } from "./protocol.ts";

type Order<K extends keyof Orders> = Orders[K]["order"];
type Answer<K extends keyof Orders> = Promise<Orders[K]["answer"]>;

/** All that a runner can do. */
export class Tasks {
  readonly #contestant: Contestant;
  readonly #crowd: Crowd;
  readonly #memory: unknown[] = [];
  #watch: { readonly times: ThreadTimes; readonly probe: DelayProbe | undefined } | undefined;

  /** @param others The threads that were there before the contestant was made. */
  constructor(contestant: Contestant, others: ThreadTimes) {
    this.#contestant = contestant;
    this.#crowd = new Crowd(contestant, others);
  }

  memory({ megabytes, kind }: Order<"memory">): Orders["memory"]["answer"] {
    this.#memory.push(occupy(megabytes, kind));
    return { residentMegabytes: residentMegabytes() };
  }

  async churn(order: Order<"churn">): Answer<"churn"> {
    const probe = order.delay ? probeDelay() : undefined;
    const outcome = await repeat(order, () => this.#contestant.run(order.file));
    return { ...outcome, delay: probe?.stop() ?? null };
  }

  async capture(order: Order<"capture">): Answer<"capture"> {
    let bytes = 0;
    const outcome = await repeat(order, async () => {
      bytes = await this.#contestant.capture(order.file, order.args);
    });
    return { ...outcome, bytes };
  }

  feed(order: Order<"feed">): Answer<"feed"> {
    const input = new Uint8Array(order.bytes).fill(1);
    return repeat(order, () => this.#contestant.feed(order.file, order.args, input));
  }

  async burst({ file, count }: Order<"burst">): Answer<"burst"> {
    const probe = probeDelay();
    const start = performance.now();
    await Promise.all(Array.from({ length: count }, () => this.#contestant.run(file)));
    const milliseconds = performance.now() - start;
    return { launches: count, milliseconds, delay: probe?.stop() ?? null };
  }

  async latency(order: Order<"latency">): Answer<"latency"> {
    const samples: number[] = [];
    const { launches } = await repeat({ ...order, inFlight: 1 }, async () => {
      const start = performance.now();
      await this.#contestant.run(order.file);
      samples.push((performance.now() - start) * 1000);
    });
    return { launches, p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
  }

  async quiet({ milliseconds }: Order<"quiet">): Answer<"quiet"> {
    const probe = probeDelay();
    await sleep(milliseconds);
    return { delay: probe?.stop() ?? null };
  }

  hold(order: Order<"hold">): Answer<"hold"> {
    return this.#crowd.hold(order);
  }

  release(): Answer<"release"> {
    return this.#crowd.release();
  }

  async keep({ file, args, count }: Order<"keep">): Answer<"keep"> {
    const keeping = this.#contestant.keep?.(file, args, count);
    if (keeping === undefined) throw new Error("it keeps no processes alive");
    await keeping;
    return { ok: true };
  }

  watch(): Orders["watch"]["answer"] {
    this.#watch = { times: threadTimes(), probe: probeDelay() };
    return { ok: true };
  }

  watched(): Orders["watched"]["answer"] {
    if (this.#watch === undefined) throw new Error("nothing is being watched");
    const { times, probe } = this.#watch;
    const delay = probe?.stop() ?? null;
    const now = threadTimes();
    const main = usedBetween(times, now, (tid) => tid === process.pid);
    return { main, process: usedBetween(times, now, () => true), delay };
  }

  usage(): Answer<"usage"> {
    return usage();
  }
}
