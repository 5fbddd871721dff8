// Many children that live beside each other and end at the same moment.
import { performance } from "node:perf_hooks";
import type { Contestant, LiveChild } from "../contestants/contestant.ts";
import { probeDelay } from "../delay.ts";
import { threadTimes, usedBetween, type ThreadTimes } from "./cpu.ts";
import { lanes } from "./effort.ts";
import type { Orders, Outcome, Release } from "./protocol.ts";
import { SharedPipe } from "./shared-pipe.ts";
import { threadCpu } from "./thread-clock.ts";
import { Turns } from "./turns.ts";

/** So many are being started at a time. */
const LANES = 64;

/** The children that a runner holds. */
export class Crowd {
  readonly #contestant: Contestant;
  /** Threads from before the contestant was made. */
  readonly #others: ThreadTimes;
  #pipe: SharedPipe | undefined;
  #children: LiveChild[] = [];

  constructor(contestant: Contestant, others: ThreadTimes) {
    this.#contestant = contestant;
    this.#others = others;
  }

  async hold({ file, count, most }: Orders["hold"]["order"]): Promise<Outcome> {
    const start = performance.now();
    const { readEnd } = (this.#pipe ??= new SharedPipe());
    let launches = 0;
    await lanes(LANES, async () => {
      while (launches < count && performance.now() - start < most) {
        launches++;
        this.#children.push(await this.#contestant.spawn(file, readEnd));
      }
    });
    return { launches, milliseconds: performance.now() - start };
  }

  async release(): Promise<Release> {
    const children = this.#children;
    this.#children = [];
    const turns = new Turns(threadCpu);
    let left = children.length;
    const allGone = new Promise<void>((resolve) => {
      if (left === 0) resolve();
      const gone = (): void => {
        turns.count();
        if (--left === 0) resolve();
      };
      for (const { exited } of children) void exited.then(gone);
    });
    const before = threadTimes();
    const probe = probeDelay();
    const start = performance.now();
    this.#pipe?.end();
    this.#pipe = undefined;
    await allGone;
    const milliseconds = performance.now() - start;
    const delay = probe?.stop() ?? null;
    await turns.end();
    const cpu = this.#cpu(before, threadTimes());
    const { number, largest, longest } = turns;
    return { launches: children.length, milliseconds, cpu, turns: number, largest, longest, delay };
  }

  /**
   * A contestant that reaps in threads of its own has started them by now: they were not there before it was, but
   * before the release. V8's and libuv's threads work for any contestant.
   */
  #cpu(before: ThreadTimes, after: ThreadTimes): Release["cpu"] {
    const main = usedBetween(before, after, (tid) => tid === process.pid);
    const own = usedBetween(before, after, (tid) => before.has(tid) && !this.#others.has(tid));
    const reaper = this.#contestant.reapsInThreads === true ? own : main;
    return { reaper, main, process: usedBetween(before, after, () => true) };
  }
}
