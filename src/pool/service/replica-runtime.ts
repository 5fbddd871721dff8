// One replica at work: launches, waits, ends and restarts its processes as the
// table of lifecycle.ts and the restart decision say.
import { performance } from "node:perf_hooks";
import type { PidpoolError } from "../../errors.ts";
import type { Notification } from "../../process/notification.ts";
import type { ExitReport } from "../../process/report.ts";
import type { LaunchSpec } from "../../process/spec.ts";
import { Alarm } from "../alarm.ts";
import { Attempt, isUnstartable, type AttemptEvents } from "./attempt.ts";
import { runCheck } from "./check.ts";
import type { RestartInfo, ServiceEnd } from "./end.ts";
import type { ServiceHost } from "./host.ts";
import { endWasAsked, isIdle, transition, type LifecycleEvent, type ReplicaState } from "./lifecycle.ts";
import type { ProbePlan, ServicePlan } from "./plan.ts";
import { Prober } from "./prober.ts";
import { ReplicaView, type Replica } from "./replica.ts";
import { decide, NO_TALLY, withStart, type Decision } from "./restart-decision.ts";
import { resultOf } from "./result.ts";

/** Why no process follows one that has ended uncleanly. */
export type Failure = "policy" | "give-up" | "escalate";

/** What a service hears of its replicas. None of these throws. */
export interface ReplicaEvents {
  changed(replica: ReplicaRuntime, from: ReplicaState): void;
  ended(replica: ReplicaRuntime, end: ServiceEnd): void;
  restarted(replica: ReplicaRuntime, info: RestartInfo): void;
  notified(replica: ReplicaRuntime, notification: Notification): void;
  /** A health probe has failed, for the nth time in a row. */
  unhealthy(replica: ReplicaRuntime, failures: number, error: unknown): void;
  /** Its policy asks for a restart: true where the service's group takes care of it. */
  handOver(end: ServiceEnd): boolean;
  failed(replica: ReplicaRuntime, why: Failure): void;
}

/** A restart to come. */
interface Planned {
  readonly since: number;
  readonly delay: number;
  readonly end: ServiceEnd;
}

/** Owns at most one process at a time. */
export class ReplicaRuntime implements AttemptEvents {
  readonly view: Replica = new ReplicaView(this);
  readonly index: number;
  readonly #plan: ServicePlan;
  /** Of the next launch. */
  spec: LaunchSpec;
  readonly #host: ServiceHost;
  readonly #events: ReplicaEvents;
  state: ReplicaState = "stopped";
  restarts = 0;
  status: string | null = null;
  lastEnd: ServiceEnd | null = null;
  readySince: number | null = null;
  /** A rolling restart is to replace it. */
  outdated = false;
  #attempt: Attempt | undefined;
  #tally = NO_TALLY;
  #planned: Planned | undefined;
  #refed: boolean;
  /** Counts changes of state: who calls others finds out whether they have caused one. */
  #epoch = 0;
  /** Backoff. It is work to do, so Node waits for it. */
  #backoff: Alarm | undefined;
  /** The start timeout; the process keeps Node alive, if anything does. */
  #patience: Alarm | undefined;
  #prober: Prober | undefined;
  #failures = 0;
  #gone: (() => void)[] = [];
  /** Fires when the process that there is now is gone; made when first asked for. */
  #presence: AbortController | undefined;

  constructor(
    index: number,
    plan: ServicePlan,
    spec: LaunchSpec,
    host: ServiceHost,
    events: ReplicaEvents,
    refed: boolean,
  ) {
    this.index = index;
    this.#plan = plan;
    this.spec = spec;
    this.#host = host;
    this.#events = events;
    this.#refed = refed;
  }

  get pid(): number | null {
    return this.#attempt?.pid ?? null;
  }

  // ---- asked for

  /** Starts it, unless it is under way. Of one that is idle, about to be, or waits, whatever came before is forgotten. */
  start(): void {
    if (isIdle(this.state) || this.state === "stopping" || this.state === "backoff") this.#forget();
    this.#dispatch("start");
  }

  stop(): void {
    this.#dispatch("stop");
  }

  /** Ends the process, if there is one, and starts another. */
  restart(): void {
    this.#forget();
    this.#dispatch("restart");
  }

  #forget(): void {
    this.#tally = NO_TALLY;
    this.#planned = undefined;
  }

  /** Signals the process itself; false where there is none. */
  signal(signal: number): boolean {
    return this.#attempt?.kill(signal) ?? false;
  }

  setRef(refed: boolean): void {
    this.#refed = refed;
    this.#attempt?.setRef(refed);
    this.#backoff?.setRef(refed);
  }

  /** Resolves once the process that there is now is gone. */
  whenGone(): Promise<void> {
    if (this.#attempt === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#gone.push(resolve));
  }

  /** Fires once the process that there is now is gone. */
  get absence(): AbortSignal {
    this.#presence ??= new AbortController();
    return this.#presence.signal;
  }

  // ---- from the process

  launched(attempt: Attempt): void {
    if (attempt !== this.#attempt || this.state !== "starting") return;
    const { ready } = this.#plan;
    if (ready === "exec") this.#becomeReady();
    else if (ready !== "said") this.#probeReadiness(ready);
  }

  said(attempt: Attempt, notification: Notification): void {
    if (attempt !== this.#attempt) return;
    const now = performance.now();
    const { status, extendTimeout, ready, reloading, stopping } = notification;
    if (status !== null) this.status = status;
    if (extendTimeout !== null) {
      attempt.postponeKill(now + extendTimeout, now);
      if (this.#patience?.isSet === true && now + extendTimeout > this.#patience.at)
        this.#patience.set(now + extendTimeout);
    }
    // What it does from now on is its way to its end.
    if (stopping && this.state === "ready") this.#stopProber();
    // Both in one message: it has begun to reload and is done.
    if (reloading) this.#dispatch("reloads");
    if (ready && (this.state === "reloading" || this.#plan.ready === "said")) this.#becomeReady();
    this.#events.notified(this, notification);
  }

  over(attempt: Attempt, report: ExitReport | null, error: PidpoolError | null): void {
    if (attempt !== this.#attempt) return;
    const now = performance.now();
    this.#attempt = undefined;
    this.readySince = null;
    this.status = null;
    for (const resolve of this.#gone.splice(0)) resolve();
    this.#presence?.abort();
    this.#presence = undefined;
    const { readyAt } = attempt;
    const asked = endWasAsked(this.state);
    const late = this.state === "failing" && readyAt === undefined;
    const facts = { report, unstartable: isUnstartable(error), late, wasReady: readyAt !== undefined };
    // An end that was asked for cannot be too early.
    const result = resultOf(asked ? { ...facts, wasReady: true } : facts, this.#plan.rules.success);
    const end: ServiceEnd = Object.freeze({ replica: this.index, result, report, error });
    this.lastEnd = end;
    const epoch = this.#epoch;
    this.#events.ended(this, end);
    // Whoever was told has started or stopped it.
    if (epoch !== this.#epoch) return;
    if (asked) {
      this.#dispatch("gone");
      return;
    }
    const healthyMs = readyAt === undefined ? -1 : now - readyAt;
    this.#follow(decide(facts, healthyMs, this.#tally, this.#plan.rules, now, Math.random()), end, now);
  }

  #follow(decision: Decision, end: ServiceEnd, now: number): void {
    switch (decision.action) {
      case "restart": {
        const epoch = this.#epoch;
        const handed = this.#events.handOver(end);
        if (epoch !== this.#epoch) return;
        if (handed) {
          this.#dispatch("handed");
          return;
        }
        this.#tally = decision.tally;
        this.#planned = { since: now, delay: decision.delay, end };
        this.#dispatch("respawn");
        return;
      }
      case "stay":
        if (end.result === "success") this.#dispatch("finished");
        else this.#fail("policy");
        return;
      case "give-up":
      case "escalate":
        this.#fail(decision.action);
    }
  }

  #fail(why: Failure): void {
    this.#dispatch("failed");
    this.#events.failed(this, why);
  }

  // ---- states

  #dispatch(event: LifecycleEvent): void {
    const from = this.state;
    const to = transition(from, event);
    if (to === from) return;
    this.state = to;
    const epoch = ++this.#epoch;
    this.#leave(from);
    const info = this.#enter(to, event);
    this.#events.changed(this, from);
    if (info !== undefined) this.#events.restarted(this, info);
    // Stopped by one who heard of its end: there is nothing to wait for.
    if (epoch === this.#epoch && endWasAsked(to) && this.#attempt === undefined) this.#dispatch("gone");
  }

  #leave(from: ReplicaState): void {
    if (from === "starting") this.#patience?.clear();
    if (from === "backoff") this.#backoff?.clear();
    if (from === "starting" || from === "ready") this.#stopProber();
  }

  #enter(to: ReplicaState, event: LifecycleEvent): RestartInfo | undefined {
    switch (to) {
      case "starting":
        return this.#launch();
      case "ready":
        this.#probeHealth();
        return undefined;
      case "reloading":
        this.readySince = null;
        return undefined;
      case "stopping":
      case "restarting":
      case "failing":
        this.#endProcess(event);
        return undefined;
      case "backoff": {
        const { since, delay } = this.#planned ?? { since: 0, delay: 0 };
        this.#backoff ??= new Alarm(this.#refed, () => this.#dispatch("due"));
        this.#backoff.set(since + delay);
        return undefined;
      }
      case "stopped":
      case "exited":
      case "failed":
        this.#planned = undefined;
        return undefined;
    }
  }

  #launch(): RestartInfo | undefined {
    const now = performance.now();
    const planned = this.#planned;
    this.#planned = undefined;
    this.#tally = withStart(this.#tally, this.#plan.rules, now);
    this.outdated = false;
    this.#attempt = new Attempt(this.#host, this.spec, this.#refed, this);
    const { startTimeout } = this.#plan;
    if (startTimeout !== Infinity) {
      this.#patience ??= new Alarm(false, () => this.#dispatch("late"));
      this.#patience.set(now + startTimeout);
    }
    if (planned === undefined) return undefined;
    this.restarts++;
    const { delay, since, end } = planned;
    const { index: replica, restarts } = this;
    return { service: this.#plan.name, replica, restarts, delay, waited: now - since, end };
  }

  #becomeReady(): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    if (this.state === "starting" || this.state === "reloading") {
      attempt.readyAt ??= performance.now();
      this.readySince = Date.now();
    }
    this.#dispatch("ready");
  }

  #endProcess(event: LifecycleEvent): void {
    this.readySince = null;
    const attempt = this.#attempt;
    // One that is being ended already is not signalled again.
    if (attempt === undefined || attempt.ending) return;
    const reason = event === "late" ? "timeout" : event === "unhealthy" ? "unhealthy" : "shutdown";
    attempt.end(reason, this.spec.killSignal, performance.now());
  }

  // ---- probes

  #probeReadiness(probe: ProbePlan): void {
    this.#prober = new Prober(this.#ask(probe), probe, (well) => {
      if (well) this.#becomeReady();
    });
    this.#prober.start(0);
  }

  #probeHealth(): void {
    const { health } = this.#plan;
    if (health === undefined) return;
    this.#failures = 0;
    this.#prober = new Prober(this.#ask(health), health, (well, error) => {
      if (well) {
        this.#failures = 0;
        return;
      }
      const failures = ++this.#failures;
      const prober = this.#prober;
      this.#events.unhealthy(this, failures, error);
      if (failures >= health.threshold && prober === this.#prober) this.#dispatch("unhealthy");
    });
    this.#prober.start(health.interval);
  }

  #ask({ check, timeout }: ProbePlan): (signal: AbortSignal) => Promise<boolean | void> | boolean | void {
    return (signal) =>
      typeof check === "function"
        ? check(this.view, signal)
        : runCheck(this.#host, this.#plan, check, this.index, timeout, signal);
  }

  #stopProber(): void {
    this.#prober?.stop();
    this.#prober = undefined;
  }
}
