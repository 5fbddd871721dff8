// The pool: what users call. Admits runs, spreads launches over supervisors,
// and ends them all when it ends.
import { performance } from "node:perf_hooks";
import { EventEmitter } from "eventemitter3";
import { PidpoolError } from "../errors.ts";
import { requireSupport } from "../native/probe.ts";
import type { Encoding, LaunchOptions, StdioOption } from "../process/options.ts";
import type { Process } from "../process/process.ts";
import type { ExitReport } from "../process/report.ts";
import type { Captured, ProcessOf, RunResult } from "../process/result.ts";
import { SIGKILL } from "../process/signals.ts";
import { resolveSpec, type LaunchSpec } from "../process/spec.ts";
import { Admission } from "./admission.ts";
import { Groups } from "./cgroup/groups.ts";
import type { Child } from "./child.ts";
import { Command } from "./command.ts";
import type { PoolEvents } from "./events.ts";
import { launchesWanted, publishExit, publishLaunch, publishRestart } from "./diagnostics.ts";
import { Launch, type Answer, type LaunchHost } from "./launch.ts";
import { abortError } from "./launch-errors.ts";
import { Ground } from "./ground.ts";
import { Namespaces, PARKED } from "./namespaces.ts";
import { NotifyDirectories } from "./notify/directories.ts";
import type { Reach } from "./notify/place.ts";
import {
  resolvePoolOptions,
  type FilledPoolOptions,
  type PoolOptions,
  type RunOptions,
  type SpawnOptions,
} from "./options.ts";
import { makeGroup, type GroupOptions } from "./service/group-options.ts";
import type { Group } from "./service/group.ts";
import type { ServiceHost } from "./service/host.ts";
import type { ServiceOptions } from "./service/options.ts";
import { resolveService } from "./service/plan.ts";
import { ServiceRegistry } from "./service/registry.ts";
import { Service } from "./service/service.ts";
import { Tally, type PoolStats } from "./stats.ts";
import { SupervisorSet } from "./supervisor-set.ts";
import { tell } from "./tell.ts";
import type { Ending, WarmSource } from "./warm/warm-command.ts";

/**
 * Many child processes, each tracked by a pidfd of its own; launched, reaped and captured off the calling
 * thread. Pools share nothing with each other, nor with child_process.
 *
 * Needs Linux 5.10. Nothing starts before the first child does. A pool with nothing to do does not keep Node
 * alive.
 */
export class ProcessPool extends EventEmitter<PoolEvents> {
  readonly #options: FilledPoolOptions;
  readonly #supervisors: SupervisorSet;
  readonly #tally = new Tally();
  readonly #admission: Admission;
  readonly #host: LaunchHost;
  readonly #namespaces: Namespaces;
  readonly #groups: Groups;
  readonly #directories: NotifyDirectories;
  readonly #services = new ServiceRegistry();
  readonly #warm = new Set<Ending>();
  readonly #warmHost: WarmSource["host"];
  #state: "open" | "closing" | "destroyed" = "open";
  #ended: Promise<void> | undefined;

  /**
   * @throws InvalidOptionError
   * @throws PidpoolError ERR_UNSUPPORTED where the platform, kernel or build cannot do it, with the reason.
   */
  constructor(options: PoolOptions = {}) {
    super();
    requireSupport();
    this.#options = resolvePoolOptions(options);
    this.#supervisors = new SupervisorSet(this.#options.threads, (error) => this.#tellError(error));
    supervisors.set(this, this.#supervisors);
    spawners.set(this, (spec) => this.#spawn(spec));
    const { concurrency, maxQueue } = this.#options;
    this.#admission = new Admission(concurrency, maxQueue, {
      needsDrain: () => tell(() => this.emit("needsDrain")),
      drain: () => tell(() => this.emit("drain")),
      began: ({ waitMs }) => this.#tally.waitTime.record(waitMs),
    });
    const own = {
      start: (child: Child) => this.#supervisors.start(child),
      error: (error: PidpoolError) => this.#tellError(error),
    };
    this.#groups = new Groups(own);
    this.#directories = new NotifyDirectories(own);
    this.#namespaces = new Namespaces({
      ...own,
      park: (launch) => this.#admission.park(launch),
      resume: (launch) => this.#admission.resume(launch),
      unpark: (launch) => this.#admission.forget(launch),
    });
    this.#host = {
      begin: (launch) => {
        const { child, spec } = launch;
        if (spec.notify?.socketAt !== undefined && !this.#findDirectory(launch, spec.notify)) return PARKED;
        if (spec.isolation.home !== "none" || spec.cgroup !== undefined) {
          const prepared = this.#prepare(launch, (child.ground ??= new Ground(spec)));
          if (prepared < 0) return prepared;
        }
        return this.#supervisors.start(launch.child);
      },
      retry: (launch, delay, exhausted) => {
        if (exhausted) this.#tally.retried++;
        if (!this.#admission.retryLater(launch, delay)) launch.drop(closedError());
      },
      forget: (launch) => {
        this.#admission.forget(launch);
        this.#namespaces.forget(launch);
      },
      spawned: ({ spec }, pid) => {
        publishLaunch(this, pid, spec);
        if (this.listenerCount("spawn") > 0) tell(() => this.emit("spawn", { pid, file: spec.file, args: spec.args }));
      },
      settled: (launch, report) => this.#settled(launch, report),
    };
    this.#warmHost = {
      concurrency,
      launch: (spec, answer) => this.#launch(spec, answer, false),
      enlist: (warm) => {
        if (this.#state !== "open") throw closedError();
        this.#warm.add(warm);
      },
      leave: (warm) => void this.#warm.delete(warm),
    };
  }

  /**
   * Starts a program, collects its output, and resolves when it has exited with code 0.
   *
   * @param file A path, or a name to look up in the child's PATH as execvp(3) does.
   * @throws ExitError for any other end, with the whole result; `check: false` resolves instead.
   * @throws LaunchError where it cannot be started, with the stage that failed.
   * @throws InvalidOptionError, or PidpoolError ERR_QUEUE_FULL, ERR_CLOSED, ERR_ABORTED.
   */
  async run<const S extends StdioOption = "capture", const E extends Encoding = "utf8">(
    file: string | URL,
    args: readonly string[] = [],
    options?: RunOptions<S, E>,
  ): Promise<RunResult<Captured<S, 1, E>, Captured<S, 2, E>>> {
    const spec = resolveSpec("run", file, args, options, this.#options.defaults);
    return this.#run(spec) as Promise<RunResult<Captured<S, 1, E>, Captured<S, 2, E>>>;
  }

  /**
   * Starts a program and resolves to its handle once exec has succeeded. Does not count against `concurrency`.
   *
   * @throws LaunchError, InvalidOptionError, or PidpoolError ERR_CLOSED, ERR_ABORTED.
   */
  async spawn<const S extends StdioOption = "pipe">(
    file: string | URL,
    args: readonly string[] = [],
    options?: SpawnOptions<S>,
  ): Promise<ProcessOf<S>> {
    const spec = resolveSpec("spawn", file, args, options, this.#options.defaults);
    return this.#spawn(spec) as Promise<ProcessOf<S>>;
  }

  /**
   * Prepares a launch that is made often: options are checked and encoded once.
   *
   * @throws InvalidOptionError
   */
  command<const S extends StdioOption | undefined = undefined, const E extends Encoding = "utf8">(
    file: string | URL,
    args: readonly string[] = [],
    options: Omit<LaunchOptions, "stdio" | "encoding"> & { stdio?: S; encoding?: E | undefined } = {},
  ): Command<S, E> {
    const { defaults } = this.#options;
    const host = {
      defaults,
      run: (spec: LaunchSpec) => this.#run(spec),
      spawn: (spec: LaunchSpec) => this.#spawn(spec),
      warm: this.#warmHost,
    };
    return new Command<S, E>(host, file, args, options);
  }

  /**
   * Keeps replicas of a program alive; starts them at once. See docs/services.md.
   *
   * @throws InvalidOptionError, or PidpoolError ERR_CLOSED, or ERR_LISTEN where a socket cannot be opened.
   */
  service(options: ServiceOptions): Service {
    return Service.begin(this.#serviceHost(), resolveService(options, this.#options.defaults));
  }

  /**
   * Keeps services and groups alive together: starts them in order, stops them in reverse, restarts them by a strategy
   * of OTP's supervisors. Starts them at once. See docs/groups.md.
   *
   * @throws InvalidOptionError, or PidpoolError ERR_CLOSED.
   */
  group(options: GroupOptions): Group {
    const { defaults } = this.#options;
    const host = this.#serviceHost();
    const group = makeGroup(options, (part, name) => new Service(host, { ...resolveService(part, defaults), name }), {
      now: () => performance.now(),
      error: (error) => this.#tellError(error),
      enter: (part) => host.enter(part),
      leave: (part) => host.leave(part),
    });
    const refusal = host.enter(group);
    if (refusal !== undefined) throw refusal;
    void group.start();
    return group;
  }

  /** Runs that wait for a place. */
  get queueSize(): number {
    return this.#admission.queueSize;
  }

  /** Children whose exit was reported. */
  get completed(): number {
    return this.#tally.completed;
  }

  /** True from the event `needsDrain` to the event `drain`. */
  get needsDrain(): boolean {
    return this.#admission.needsDrain;
  }

  /** A snapshot of counts, times and threads. */
  stats(): PoolStats {
    const tally = this.#tally;
    return {
      running: this.#admission.running,
      queueSize: this.#admission.queueSize,
      children: this.#admission.live.length,
      completed: tally.completed,
      failed: tally.failed,
      retried: tally.retried,
      runTime: tally.runTime.summary(),
      waitTime: tally.waitTime.summary(),
      utilization: tally.utilization(this.#options.concurrency),
      supervisors: this.#supervisors.stats(),
    };
  }

  /**
   * Takes no new children, stops all services and groups, ends idle spares of warm commands, waits until all children
   * have ended, and frees everything.
   */
  close(): Promise<void> {
    if (this.#state === "open") this.#state = "closing";
    return this.#end();
  }

  /**
   * Takes no new children, rejects those that wait with ERR_CLOSED, ends all others with SIGKILL, and frees
   * everything once they are reaped.
   */
  destroy(): Promise<void> {
    if (this.#state !== "destroyed") {
      this.#state = "destroyed";
      const closed = closedError();
      void this.#services.stop();
      for (const warm of this.#warm) void warm.destroy();
      for (const launch of this.#admission.shut()) launch.drop(closed);
      for (const { child } of this.#admission.live) child.supervisor?.stop(child, "shutdown", SIGKILL);
    }
    return this.#end();
  }

  /** As {@link destroy}: what a scope has not waited for does not outlive it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }

  #run(spec: LaunchSpec): Promise<RunResult> {
    const refusal = this.#refusal(spec) ?? (this.#admission.full ? this.#queueFull() : undefined);
    if (refusal !== undefined) return Promise.reject(refusal);
    const announce = this.listenerCount("spawn") > 0 || launchesWanted();
    return new Promise((resolve, reject) => {
      this.#admission.enqueue(new Launch(this.#host, spec, announce, { resolve, reject }, undefined));
    });
  }

  #spawn(spec: LaunchSpec): Promise<Process> {
    const refusal = this.#refusal(spec);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => void this.#launch(spec, { resolve, reject }, true));
  }

  /** A spawn() whose caller wants no promise. */
  #launch(spec: LaunchSpec, answer: Answer<Process>, refed: boolean): Launch {
    const launch = new Launch(this.#host, spec, true, undefined, answer);
    launch.setRef(refed);
    this.#admission.start(launch);
    return launch;
  }

  #serviceHost(): ServiceHost {
    return {
      defaults: this.#options.defaults,
      launch: (spec, answer) => {
        if (this.#state === "open") return this.#launch(spec, answer, true);
        answer.reject(closedError());
        return undefined;
      },
      restarted: (info) => {
        publishRestart(this, info);
        tell(() => this.emit("restart", info));
      },
      escalated: (error) => this.#tellError(error),
      enter: (service) => (this.#state === "open" ? this.#services.enter(service) : closedError()),
      leave: (service) => this.#services.leave(service),
    };
  }

  #refusal(spec: LaunchSpec): PidpoolError | undefined {
    if (this.#state !== "open") return closedError();
    return spec.signal?.aborted === true ? abortError(spec) : undefined;
  }

  #queueFull(): PidpoolError {
    const { running, queueSize } = this.#admission;
    const message = `${running} children run and ${queueSize} wait, as many as concurrency and maxQueue allow`;
    return new PidpoolError("ERR_QUEUE_FULL", message);
  }

  /** Returns 0 once the launch has all that it is to be born into, PARKED, NO_ROOM, NO_SLOT or -errno. */
  #prepare(launch: Launch, ground: Ground): number {
    const provided = this.#namespaces.provide(launch, ground);
    const { cgroup } = launch.spec;
    if (provided < 0 || cgroup === undefined || ground.hasGroup) return provided;
    this.#admission.park(launch);
    this.#groups.make(cgroup).then(
      (group) => {
        ground.join(group);
        if (!this.#admission.resume(launch)) launch.leave();
      },
      (error: unknown) => this.#admission.refuse(launch, error),
    );
    return PARKED;
  }

  /** False where it has yet to be made: the launch waits for it. */
  #findDirectory(launch: Launch, reach: Reach): boolean {
    const found = this.#directories.find(reach);
    if (found !== undefined) {
      launch.child.notifyDirectory = found;
      return true;
    }
    this.#admission.park(launch);
    void this.#directories.make(reach).then((result) => this.#admission.resume(launch, result));
    return false;
  }

  #tellError(error: PidpoolError): void {
    tell(() => this.emit("error", error));
  }

  #settled(launch: Launch, report: ExitReport | undefined): void {
    const tally = this.#tally;
    const { spec } = launch;
    if (report === undefined) {
      tally.failed++;
    } else {
      tally.completed++;
      tally.runTime.record(report.wallMs);
      if (spec.kind === "run") tally.busyMs += report.wallMs;
      publishExit(this, report, spec);
      if (this.listenerCount("exit") > 0) {
        tell(() => this.emit("exit", report, { pid: report.pid, file: spec.file, args: spec.args }));
      }
    }
    this.#admission.settle(launch);
  }

  #end(): Promise<void> {
    this.#ended ??= Promise.all([
      this.#services.stop(),
      ...Array.from(this.#warm, (warm) => warm.close()),
      this.#admission.whenIdle(),
    ])
      .then(() => Promise.all([this.#namespaces.end(), this.#groups.end(), this.#directories.end()]))
      .then(() => this.#supervisors.destroy());
    return this.#ended;
  }
}

const supervisors = new WeakMap<ProcessPool, SupervisorSet>();

/** What is behind a pool; for tests and diagnosis, not part of the package's API. */
export function supervisorsOf(pool: ProcessPool): SupervisorSet | undefined {
  return supervisors.get(pool);
}

const spawners = new WeakMap<ProcessPool, (spec: LaunchSpec) => Promise<Process>>();

/** Starts a resolved spec, as `spawn()` does; for tests, not part of the package's API. */
export function spawnSpec(pool: ProcessPool, spec: LaunchSpec): Promise<Process> {
  return spawners.get(pool)?.(spec) ?? Promise.reject(closedError());
}

function closedError(): PidpoolError {
  return new PidpoolError("ERR_CLOSED", "the pool is closed");
}
