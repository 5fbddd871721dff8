// The least that a group can hold: one process, started again when it ends
// unless the group takes care. For tests of groups alone.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { PidpoolError, type ExitReport, type Process, type ProcessPool, type ServiceOptions } from "pidpool";
import { makeGroup } from "#pidpool/pool/service/group-options.js";
import type { Group } from "#pidpool/pool/service/group.js";
import type { Overseer, Supervised } from "#pidpool/pool/service/supervised.js";

/** What a {@link Part} is made of. */
export interface PartOptions {
  readonly name: string;
  /** For sh. It is ready when it has written to fd 3; it is asked to end by SIGTERM. */
  readonly script: string;
  /** Starts until it escalates. Default: no limit. */
  readonly burst?: number;
  /** Milliseconds. Default: no limit. */
  readonly startTimeout?: number;
}

/** A service with one process, without backoff. */
export class Part implements Supervised {
  readonly name: string;
  overseer: Overseer | undefined;
  readonly #options: PartOptions;
  readonly #pool: ProcessPool;
  #process: Process | undefined;
  #wanted = false;
  #starts = 0;
  #launching: Promise<void> | undefined;
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(name: string, options: PartOptions, pool: ProcessPool) {
    this.name = name;
    this.#options = options;
    this.#pool = pool;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  start(): Promise<void> {
    this.#wanted = true;
    this.#starts = 0;
    const started = new Promise<void>((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#launching = this.#launch().catch((error: unknown) => this.#fail(error as PidpoolError));
    return started;
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#settle?.reject(new Error(`${this.name} was stopped`));
    await this.#launching;
    await this.#process?.[Symbol.asyncDispose]();
  }

  /** It has none. */
  closeSockets(): void {}

  async #launch(): Promise<void> {
    this.#starts++;
    const { script, startTimeout } = this.#options;
    const child = await this.#pool.spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", "inherit", "pipe"] });
    this.#process = child as unknown as Process;
    const late = (): void => this.#fail(new PidpoolError("ERR_SERVICE_FAILED", "late"));
    const timer = setTimeout(late, startTimeout ?? 60_000);
    child.stdio[3]?.once("data", () => {
      clearTimeout(timer);
      this.#settle?.resolve();
    });
    // Not the event: it may have ended before anyone could listen.
    void child.exited.then((report) => {
      clearTimeout(timer);
      for (const stream of child.stdio) stream?.destroy();
      this.#exited(report);
    });
  }

  #exited(report: ExitReport): void {
    this.#process = undefined;
    if (!this.#wanted) return;
    if (this.#starts >= (this.#options.burst ?? Infinity)) {
      this.#fail(new PidpoolError("ERR_SERVICE_FAILED", `${this.name} was started ${this.#starts} times`));
    } else if (this.overseer?.ended(this, report) !== true) {
      this.#launching = this.#launch().catch((error: unknown) => this.#fail(error as PidpoolError));
    }
  }

  #fail(error: PidpoolError): void {
    this.#wanted = false;
    this.#process?.kill("SIGKILL");
    void this.#report(error, this.#process);
  }

  async #report(error: PidpoolError, process: Process | undefined): Promise<void> {
    await process?.exited;
    this.overseer?.failed(this, error);
    this.#settle?.reject(error);
  }
}

/** A group of {@link Part}s with a journal that its processes write, and what it told the pool. */
export interface Ward {
  readonly group: Group<Part>;
  /** Errors of the group at the top. */
  readonly errors: PidpoolError[];
  readonly part: (path: string) => Part;
}

/** Makes a group, and does not start it. */
export function ward(pool: ProcessPool, options: unknown, now = (): number => performance.now()): Ward {
  const errors: PidpoolError[] = [];
  const makePart = (part: unknown, name: string): Part => new Part(name, part as PartOptions, pool);
  const group = makeGroup(options, makePart, {
    now,
    enter: () => undefined,
    leave: () => {},
    error: (error) => errors.push(error),
  });
  return {
    group,
    errors,
    part: (path) => {
      const part = group.parts.get(path);
      if (!(part instanceof Part)) throw new Error(`there is no part ${path}`);
      return part;
    },
  };
}

const AWAITS_INPUT = "while read line; do :; done";

/** A file that processes write lines to. */
export class Journal {
  readonly path: string;
  #seen = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Lines since the last call, joined by blanks. */
  read(): string {
    const lines = this.#lines();
    const fresh = lines.slice(this.#seen).join(" ");
    this.#seen = lines.length;
    return fresh;
  }

  /** Whether there are that many lines more than at the last read(). */
  has(count: number): boolean {
    return this.#lines().length - this.#seen >= count;
  }

  /** A part that writes `+name` when it starts, `name!` when it is ready, `-name` when it is to stop and `name.` at its end. */
  part(name: string, more: Omit<PartOptions, "name" | "script"> = {}): PartOptions {
    return { name, script: this.script(name), ...more };
  }

  /** The pauses let whatever comes too early show in the journal. */
  script(name: string, ready = ":"): string {
    const write = (line: string): string => `echo '${line}' >> '${this.path}'`;
    return `
      trap "${write(`-${name}`)}; sleep 0.01; ${write(`${name}.`)}; exit 0" TERM
      ${write(`+${name}`)}; sleep 0.01; ${ready}; ${write(`${name}!`)}; echo >&3
      ${AWAITS_INPUT}`;
  }

  /** Options of a service that writes the same; it is restarted without much delay. */
  service(name: string, more: Omit<Partial<ServiceOptions>, "name" | "file" | "args"> = {}): ServiceOptions {
    const restart = { backoff: { initial: 1, jitter: 0 } };
    const script = this.script(name).replace(AWAITS_INPUT, "sleep 1000 & wait");
    return { name, file: "sh", args: ["-c", script], ready: { fd: 3 }, restart, ...more };
  }

  #lines(): string[] {
    try {
      return readFileSync(this.path, "utf8").split("\n").slice(0, -1);
    } catch {
      return [];
    }
  }
}
