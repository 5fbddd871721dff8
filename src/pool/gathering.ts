// How long a supervisor leaves exits to gather. While launches wait in the
// launcher's queue, no throughput hangs on an exit being seen at once: seen
// together, exits cost one wake-up of the supervisor and of the main thread,
// and the launches find their cores' caches undisturbed meanwhile.

/** Microseconds. `queueShare`: of the time that the queue will last; the rest is for reaping and for new launches to come. */
const NAP = { fewestLaunches: 4, longest: 4000, queueShare: 0.75 } as const;
/** Microseconds for a launch, until more is known, and at most believed: what took longer was no work but a pause. */
const LAUNCH = { first: 32, most: 200 } as const;
/** A slower launcher is believed in small steps, a faster one at once: napping too long leaves it without work. */
const SLOWER = 1.05;

/** Estimates from what the launcher has done how long its queue will last. */
export class Gathering {
  #perLaunch: number = LAUNCH.first;
  #done = 0;
  #at = NaN;

  /**
   * How many microseconds to nap; 0 where there is too little in the queue.
   *
   * @param waiting Launches in the queue.
   * @param done Launches that the launcher has ever taken, modulo 2^32.
   * @param now In milliseconds.
   */
  nap(waiting: number, done: number, now: number): number {
    const launches = (done - this.#done) | 0;
    if (launches >= NAP.fewestLaunches) {
      const each = ((now - this.#at) * 1000) / launches;
      // NaN at the first look, which has nothing to compare with.
      if (each > 0) this.#perLaunch = Math.min(each, this.#perLaunch * SLOWER, LAUNCH.most);
    }
    this.#done = done;
    this.#at = now;
    return waiting < NAP.fewestLaunches ? 0 : Math.min(waiting * this.#perLaunch * NAP.queueShare, NAP.longest);
  }
}
