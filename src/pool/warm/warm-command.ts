// A warm command: processes started ahead of need, each of which waits on its
// stdin for one job. Who waits for whom, and when the next process is started.
import { PidpoolError, quoted } from "../../errors.ts";
import type { Encoding, LaunchOptions, StdioOption } from "../../process/options.ts";
import type { Captured, RunResult } from "../../process/result.ts";
import { LATER, overrideSpec, resolveSpec, type InputSource, type LaunchSpec } from "../../process/spec.ts";
import { Fifo } from "../fifo.ts";
import { abortError } from "../launch-errors.ts";
import { Job } from "./job.ts";
import {
  resolveWarmOptions,
  takeRunOptions,
  type WarmOptions,
  type WarmRules,
  type WarmRunOptions,
} from "./options.ts";
import type { Spare, WarmHost } from "./spare.ts";
import { Stock } from "./stock.ts";

/** What a {@link WarmCommand} has done and is doing. */
export interface WarmStats {
  /** Processes that wait for a job. */
  readonly spares: number;
  /** Processes that are being started. */
  readonly starting: number;
  /** Jobs under way. */
  readonly running: number;
  /** Jobs that wait for a process. */
  readonly queueSize: number;
  /** Jobs whose process has ended. */
  readonly completed: number;
  /** Spares that died, closed their stdin, or could not be started. */
  readonly lost: number;
  /** `"backoff"` while spares die; `"failed"` once they have died too often; `"trial"` when it is tried again. */
  readonly health: "healthy" | "backoff" | "failed" | "trial";
}

/** What a warm command needs of its command. */
export interface WarmSource {
  readonly host: WarmHost & {
    /** The pool's own `concurrency`. */
    readonly concurrency: number;
    /** The pool ends it when it ends itself. Throws ERR_CLOSED where that has begun. */
    enlist(warm: Ending): void;
    leave(warm: Ending): void;
  };
  readonly file: string;
  readonly args: readonly string[];
  readonly options: LaunchOptions;
  readonly defaults: LaunchOptions;
}

/** What the pool does with its warm commands. */
export interface Ending {
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/** Milliseconds after which a spare that does not end by `killSignal` is killed, at most: it has nothing to finish. */
const LONGEST_GOODBYE = 5000;

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Processes that wait on their stdin, each for one job. A job takes the one that was started first and writes its
 * input there; another process is started in its place. A process is never used twice.
 *
 * Made by {@link Command.warm}. Idle spares do not keep Node alive; jobs do. `await using` is {@link destroy}.
 */
export class WarmCommand<S extends StdioOption | undefined = undefined, E extends Encoding = "utf8"> implements Ending {
  readonly file: string;
  readonly args: readonly string[];
  readonly #source: WarmSource;
  readonly #rules: WarmRules;
  /** That of a job without options. */
  readonly #jobSpec: LaunchSpec;
  readonly #jobOptions: LaunchOptions;
  readonly #stock: Stock;
  readonly #queue = new Fifo<Job>();
  readonly #jobs = new Map<Spare, Job>();
  #completed = 0;
  #state: "open" | "closing" | "destroyed" = "open";
  readonly #readers: Waiter[] = [];
  readonly #leavers: (() => void)[] = [];

  /**
   * @throws InvalidOptionError
   * @throws PidpoolError ERR_CLOSED
   */
  constructor(source: WarmSource, options: WarmOptions | undefined) {
    this.#source = source;
    this.#rules = resolveWarmOptions(options, source.host.concurrency);
    this.#jobOptions = { ...source.options, input: source.options.input ?? "" };
    takeRunOptions({ input: this.#jobOptions.input });
    this.#jobSpec = resolveSpec("run", source.file, source.args, this.#jobOptions, source.defaults);
    this.#stock = new Stock(source.host, spareSpec(this.#jobSpec), this.#rules, {
      changed: () => this.#tend(),
      worked: (spare, result) => {
        const job = this.#jobs.get(spare);
        this.#jobs.delete(spare);
        this.#completed++;
        job?.finish(spare, result);
      },
    });
    this.file = source.file;
    this.args = source.args;
    source.host.enlist(this);
    this.#tend();
  }

  /**
   * Gives a job to a waiting process; resolves and rejects as {@link ProcessPool.run}. `waitMs` of the result is the time
   * from the call until the input was written; the exit report is that of the process, from its start on.
   *
   * The job is given to a process at most once: one that has died before it could read anything of it is no failure,
   * and the job goes to the next.
   *
   * @throws ExitError, InvalidOptionError, LaunchError (stage `"input"`), or PidpoolError ERR_QUEUE_FULL, ERR_CLOSED,
   * ERR_ABORTED.
   * @throws StartLimitError where there is no spare, and they have died too often.
   */
  async run(
    options?: WarmRunOptions,
  ): Promise<
    RunResult<
      Captured<S extends StdioOption ? S : "capture", 1, E>,
      Captured<S extends StdioOption ? S : "capture", 2, E>
    >
  > {
    type Result = RunResult<
      Captured<S extends StdioOption ? S : "capture", 1, E>,
      Captured<S extends StdioOption ? S : "capture", 2, E>
    >;
    return this.#run(options) as Promise<Result>;
  }

  #run(options: WarmRunOptions | undefined): Promise<RunResult> {
    const spec =
      options === undefined
        ? this.#jobSpec
        : overrideSpec(this.#jobSpec, this.#jobOptions, takeRunOptions(options), this.#source.defaults);
    const refusal = this.#refusal(spec);
    if (refusal !== undefined) throw refusal;
    return new Promise((resolve, reject) => {
      const job = new Job(spec, spec.input as InputSource, { resolve, reject }, (waiting) => {
        this.#queue.remove(waiting.ticket);
        this.#tend();
      });
      job.ticket = this.#queue.add(job);
      this.#tend();
    });
  }

  #refusal(spec: LaunchSpec): PidpoolError | undefined {
    if (this.#state !== "open") return this.#closed();
    if (spec.signal?.aborted === true) return abortError(spec);
    if (this.#stock.isBroken) return this.#stock.broken();
    const { concurrency, maxQueue } = this.#rules;
    const waiting = this.#queue.size;
    const startsNow = waiting === 0 && this.#stock.waiting > 0 && this.#jobs.size < concurrency;
    if (startsNow || waiting < maxQueue) return undefined;
    const message = `${this.#jobs.size} jobs run and ${waiting} wait for a process, as many as maxQueue allows`;
    return new PidpoolError("ERR_QUEUE_FULL", message);
  }

  /**
   * Resolves once as many spares wait as `spares` says: their programs run, though they may not have come to read. Rejects
   * with StartLimitError where they die too often, with ERR_CLOSED where the command is closed before.
   */
  get ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#state !== "open") reject(this.#closed());
      else if (this.#stock.waiting >= this.#rules.spares) resolve();
      else if (this.#stock.isBroken) reject(this.#stock.broken());
      else {
        this.#readers.push({ resolve, reject });
        this.#tend();
      }
    });
  }

  /** Jobs that wait for a process. */
  get queueSize(): number {
    return this.#queue.size;
  }

  /** A snapshot of counts. */
  stats(): WarmStats {
    return {
      spares: this.#stock.waiting,
      starting: this.#stock.starting,
      running: this.#jobs.size,
      queueSize: this.#queue.size,
      completed: this.#completed,
      lost: this.#stock.lost,
      health: this.#stock.health,
    };
  }

  /** Takes no new jobs, ends spares that no job waits for with `killSignal`, and resolves when all jobs and processes have ended. */
  close(): Promise<void> {
    if (this.#state === "open") this.#state = "closing";
    return this.#ended();
  }

  /** Takes no new jobs, rejects those that wait with ERR_CLOSED, and ends all processes with SIGKILL. */
  destroy(): Promise<void> {
    if (this.#state !== "destroyed") {
      this.#state = "destroyed";
      this.#rejectAll(this.#closed());
      this.#stock.destroy();
    }
    return this.#ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }

  #ended(): Promise<void> {
    for (const reader of this.#readers.splice(0)) reader.reject(this.#closed());
    const ended = new Promise<void>((resolve) => this.#leavers.push(resolve));
    this.#tend();
    return ended;
  }

  /** Does all that can be done now. */
  #tend(): void {
    const stock = this.#stock;
    this.#serve();
    if (stock.isBroken) this.#rejectAll(stock.broken());
    const isAwaited = this.#queue.size + this.#readers.length + this.#leavers.length > 0;
    stock.keep(this.#wanted, this.#jobs.size, isAwaited);
    if (stock.waiting >= this.#rules.spares) for (const reader of this.#readers.splice(0)) reader.resolve();
    if (this.#state === "open" || stock.size > 0 || this.#queue.size > 0) return;
    this.#source.host.leave(this);
    for (const resolve of this.#leavers.splice(0)) resolve();
  }

  #serve(): void {
    while (this.#jobs.size < this.#rules.concurrency) {
      const job = this.#queue.first();
      if (job === undefined) return;
      const spare = this.#stock.take();
      if (spare === undefined) return;
      if (job.begin(spare)) {
        this.#queue.shift();
        this.#jobs.set(spare, job);
      } else {
        this.#stock.discard(spare);
      }
    }
  }

  /** How many processes are to wait. */
  get #wanted(): number {
    const { spares } = this.#rules;
    if (this.#state === "open") return spares;
    return this.#state === "closing" ? Math.min(spares, this.#queue.size) : 0;
  }

  #rejectAll(error: PidpoolError): void {
    for (const reader of this.#readers.splice(0)) reader.reject(error);
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) job.reject(error);
  }

  #closed(): PidpoolError {
    return new PidpoolError("ERR_CLOSED", `the warm command of ${quoted(this.file)} is closed`);
  }
}

/** That of a process without a job. It takes no place of the pool's. */
function spareSpec(jobSpec: LaunchSpec): LaunchSpec {
  const killAfter = jobSpec.killAfter < 0 ? LONGEST_GOODBYE : Math.min(jobSpec.killAfter, LONGEST_GOODBYE);
  return Object.freeze({ ...jobSpec, kind: "spawn", input: LATER, timeout: 0, signal: undefined, killAfter });
}
