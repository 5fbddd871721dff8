// Who may start when: the places for one-shot children, the queue before them,
// launches that wait to try again, and the question whether all is done.
import { Fifo } from "./fifo.ts";
import type { Launch } from "./launch.ts";
import { Roster } from "./roster.ts";

/** What is told about backpressure. */
export interface AdmissionEvents {
  needsDrain(): void;
  drain(): void;
  /** A run got its place. */
  began(launch: Launch): void;
}

/** The launches of one pool, in whatever state. */
export class Admission {
  readonly #concurrency: number;
  readonly #maxQueue: number;
  readonly #events: AdmissionEvents;
  readonly #queue = new Fifo<Launch>();
  readonly #retries = new Map<Launch, NodeJS.Timeout>();
  /** Those that wait for namespaces or a cgroup. */
  readonly #parked = new Set<Launch>();
  /** All that have begun and are not over, retries included. */
  readonly #live = new Roster<Launch>();
  readonly #idle: (() => void)[] = [];
  #running = 0;
  #needsDrain = false;
  #shut = false;

  constructor(concurrency: number, maxQueue: number, events: AdmissionEvents) {
    this.#concurrency = concurrency;
    this.#maxQueue = maxQueue;
    this.#events = events;
  }

  /** One-shot children under way. */
  get running(): number {
    return this.#running;
  }

  get queueSize(): number {
    return this.#queue.size;
  }

  get live(): readonly Launch[] {
    return this.#live.members;
  }

  get needsDrain(): boolean {
    return this.#needsDrain;
  }

  /** Whether one more run could neither start nor wait. */
  get full(): boolean {
    return this.#running >= this.#concurrency && this.#queue.size >= this.#maxQueue;
  }

  /** A run: starts now or waits for a place. */
  enqueue(launch: Launch): void {
    if (this.#running < this.#concurrency && this.#queue.size === 0) {
      this.#begin(launch);
      return;
    }
    launch.ticket = this.#queue.add(launch);
    if (this.#needsDrain) return;
    this.#needsDrain = true;
    this.#events.needsDrain();
  }

  /** A launch that needs no place: starts now. */
  start(launch: Launch): void {
    this.#live.add(launch);
    launch.attempt();
  }

  #begin(launch: Launch): void {
    this.#running++;
    this.start(launch);
    this.#events.began(launch);
  }

  /** Calls `launch.attempt()` after the delay, or when an exit may have made room. False once all waiting is over. */
  retryLater(launch: Launch, delay: number): boolean {
    if (this.#shut) return false;
    const timer = setTimeout(() => {
      this.#retries.delete(launch);
      launch.attempt();
    }, delay);
    this.#retries.set(launch, timer);
    return true;
  }

  /** The launch waits until {@link resume}, or until it is forgotten. */
  park(launch: Launch): void {
    this.#parked.add(launch);
  }

  /** What a parked launch waited for is there, or cannot be had: -errno. False where it no longer waits. */
  resume(launch: Launch, result = 0): boolean {
    const waited = this.#parked.delete(launch);
    if (waited && result < 0) launch.failed("pipe", -result, 0);
    else if (waited) launch.attempt();
    return waited;
  }

  /** What a parked launch waited for cannot be had. */
  refuse(launch: Launch, error: unknown): void {
    if (this.#parked.delete(launch)) launch.refused(error);
  }

  /** The launch no longer waits. */
  forget(launch: Launch): void {
    this.#leaveQueue(launch);
    this.#parked.delete(launch);
    if (this.#retries.size === 0) return;
    clearTimeout(this.#retries.get(launch));
    this.#retries.delete(launch);
  }

  /** The launch is over, whether it had begun or not. */
  settle(launch: Launch): void {
    if (this.#live.delete(launch) && launch.spec.kind === "run") this.#running--;
    // An exit may be what those who ran out of something have waited for.
    if (this.#retries.size > 0 && !this.#shut) {
      const [waiting] = this.#retries.keys();
      if (waiting !== undefined) {
        this.forget(waiting);
        waiting.attempt();
      }
    }
    this.#advance();
  }

  #leaveQueue(launch: Launch): void {
    if (launch.ticket < 0) return;
    this.#queue.remove(launch.ticket);
    launch.ticket = -1;
  }

  #advance(): void {
    while (this.#running < this.#concurrency) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      next.ticket = -1;
      this.#begin(next);
    }
    if (this.#needsDrain && this.#queue.size === 0 && this.#running < this.#concurrency) {
      this.#needsDrain = false;
      this.#events.drain();
    }
    if (this.#idle.length > 0 && this.#live.size === 0 && this.#queue.size === 0)
      for (const done of this.#idle.splice(0)) done();
  }

  /** Ends all waiting: returns those that waited, for their owner to drop. */
  shut(): Launch[] {
    this.#shut = true;
    return [...this.#queue.toArray(), ...this.#retries.keys(), ...this.#parked];
  }

  /** Resolves once nothing waits and nothing lives. */
  whenIdle(): Promise<void> {
    if (this.#live.size === 0 && this.#queue.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }
}
