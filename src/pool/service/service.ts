// A service: replicas of one program that are kept alive. What users call; each
// replica's life is in replica-runtime.ts.
import { EventEmitter } from "eventemitter3";
import { InvalidOptionError, ServiceError, quoted } from "../../errors.ts";
import type { Notification } from "../../process/notification.ts";
import { describeExit } from "../../process/explain.ts";
import type { LaunchSpec } from "../../process/spec.ts";
import { integer, switches } from "../../process/validate.ts";
import { StandingSockets, type ListenAddress } from "../listen/standing-sockets.ts";
import { Arrival } from "./arrival.ts";
import type { RestartInfo, ServiceEnd } from "./end.ts";
import type { ServiceHost } from "./host.ts";
import { isIdle, noCounts, overall, type ReplicaState, type ServiceState } from "./lifecycle.ts";
import { News } from "./news.ts";
import { MAX_REPLICAS, replicaSpec, type ServicePlan } from "./plan.ts";
import { ReplicaRuntime, type Failure, type ReplicaEvents } from "./replica-runtime.ts";
import { tellToReload } from "./reload.ts";
import type { Replica } from "./replica.ts";
import { Rollout } from "./rollout.ts";
import type { Overseer, Supervised } from "./supervised.ts";

/** Events of a {@link Service}. */
export interface ServiceEvents {
  /** What it is as a whole has changed. */
  state: (state: ServiceState, before: ServiceState) => void;
  /** The state of one replica has changed. */
  replica: (replica: Replica) => void;
  /** All replicas are ready. */
  ready: () => void;
  /** A process has ended, or could not be started. What follows is not decided yet. */
  exit: (end: ServiceEnd, replica: Replica) => void;
  /** A process was started in the place of one that had ended by itself. */
  restart: (info: RestartInfo, replica: Replica) => void;
  /** A replica has failed: it is not started again. */
  failed: (error: ServiceError, replica: Replica) => void;
  /** A process has said something of itself. */
  notify: (notification: Notification, replica: Replica) => void;
  /** A health probe has failed: so many in a row, the last with this error. */
  unhealthy: (replica: Replica, failures: number, error: unknown) => void;
}

/** Options of {@link Service.stop}. */
export interface StopOptions {
  /**
   * Leaves the sockets of `listen` open: who connects waits in their backlogs until the next start(). Ends with the next
   * stop() without it, or with the pool. Default: false.
   */
  readonly keepSockets?: boolean | undefined;
}

/** Ends of processes that a service keeps. */
const KEPT_ENDS = 20;

/** Made, and started, by {@link ProcessPool.service}. `await using` stops it. */
export class Service extends EventEmitter<ServiceEvents> implements Supervised {
  readonly name: string;
  /** For the group that holds it. */
  overseer: Overseer | undefined;
  readonly #plan: ServicePlan;
  readonly #host: ServiceHost;
  #replicas: ReplicaRuntime[] = [];
  #views: readonly Replica[] = [];
  /** Taken away by scale(), and not gone yet; by index. */
  readonly #leaving = new Map<number, ReplicaRuntime>();
  /** Of those that are not leaving. */
  readonly #counts = noCounts();
  readonly #ends: ServiceEnd[] = [];
  readonly #rollout = new Rollout(() => this.#replicas);
  readonly #events: ReplicaEvents;
  #state: ServiceState = "stopped";
  readonly #arrival = new Arrival<ReplicaRuntime>();
  readonly #news = new News();
  #refed = true;
  /** Above 0 while several replicas change together. */
  #changing = 0;
  #escalation: ServiceError | undefined;
  #sockets: StandingSockets | undefined;
  /** What stop() has said of them; undefined from start() on. */
  #keepSockets: boolean | undefined;

  /**
   * Makes a service and starts it.
   *
   * @throws InvalidOptionError, or PidpoolError ERR_CLOSED, or ERR_LISTEN; nothing is started then.
   */
  static begin(host: ServiceHost, plan: ServicePlan): Service {
    const service = new Service(host, plan);
    const refusal = service.#open();
    if (refusal !== undefined) throw refusal;
    void service.start();
    return service;
  }

  /** @throws InvalidOptionError */
  constructor(host: ServiceHost, plan: ServicePlan) {
    super();
    this.name = plan.name;
    this.#plan = plan;
    this.#host = host;
    this.#events = {
      changed: (replica, from) => this.#changed(replica, from),
      ended: (replica, end) => {
        if (this.#ends.push(end) > KEPT_ENDS) this.#ends.shift();
        this.#news.tell(() => this.emit("exit", end, replica.view));
      },
      restarted: (replica, info) => {
        this.#news.tell(() => this.emit("restart", info, replica.view));
        this.#news.tell(() => this.#host.restarted(info));
      },
      notified: (replica, said) => this.#news.tell(() => this.emit("notify", said, replica.view)),
      unhealthy: (replica, failures, error) =>
        this.#news.tell(() => this.emit("unhealthy", replica.view, failures, error)),
      handOver: ({ report }) => this.overseer?.ended(this, report ?? undefined) ?? false,
      failed: (replica, why) => this.#failed(replica, why),
    };
    this.#grow(plan.replicas);
  }

  get state(): ServiceState {
    return this.#state;
  }

  /** By index. */
  get replicas(): readonly Replica[] {
    return this.#views;
  }

  /** The last ends of its processes, at most 20, the latest at the end. */
  get reports(): readonly ServiceEnd[] {
    return [...this.#ends];
  }

  /** Where the sockets of `listen` listen, in its order; empty while they are closed. */
  get addresses(): readonly ListenAddress[] {
    return this.#sockets?.addresses ?? [];
  }

  /**
   * Resolves once each replica has been ready since the last start(); rejects with ERR_SERVICE_FAILED where one fails, or
   * the service is stopped, before. A rejection that nobody looks at is no unhandled one: there is the event `failed`.
   * Of a part of a group that was never started, it is pending.
   */
  get ready(): Promise<void> {
    return this.#arrival.promise;
  }

  /**
   * Starts the replicas that are stopped, exited, failed or wait to be restarted, with a new count of starts and delays. The service that
   * {@link ProcessPool.service} returns is started already. Opens the sockets of `listen` that stop() has closed; for
   * port 0 the kernel may choose another one. Rejects with ERR_LISTEN, and starts nothing, where it cannot.
   *
   * @returns {@link ready}
   */
  start(): Promise<void> {
    const refusal = this.#revive();
    return refusal === undefined ? this.#start(this.#replicas) : Promise.reject(refusal);
  }

  /**
   * Ends all replicas: `stopSignal`, then SIGKILL after `stopTimeout`, in both cases with all that they have started.
   * Resolves when their processes are gone and the sockets of `listen` are closed. No policy starts them
   * again, but start() does.
   *
   * @throws InvalidOptionError, and nothing else.
   */
  async stop(options?: StopOptions): Promise<void> {
    const { keepSockets } = switches("options", options, ["keepSockets"]);
    this.#keepSockets = keepSockets;
    const all = [...this.#replicas, ...this.#leaving.values()];
    const gone = all.map((replica) => replica.whenGone());
    this.#giveUpWaiting("was stopped");
    this.#together(() => {
      for (const replica of all) replica.stop();
    });
    await Promise.all(gone);
  }

  /** Closes the sockets that `stop({ keepSockets: true })` has left open. Those of a service that is not idle stay. */
  closeSockets(): void {
    if (!isIdle(this.#state)) return;
    this.#keepSockets = false;
    this.#update();
  }

  /**
   * Replaces the processes of all replicas, one after another: each only while all others are ready, so that never
   * fewer than n − 1 are. With one replica there is none between its end and its successor. Replicas that are not ready
   * are replaced at once. Resolves when all are ready; rejects with ERR_SERVICE_FAILED, and leaves the others as they
   * are, where one fails or the service is stopped.
   */
  restart(): Promise<void> {
    if (isIdle(this.#state)) return this.start();
    const refusal = this.#revive();
    return refusal === undefined ? this.#together(() => this.#rollout.begin()) : Promise.reject(refusal);
  }

  /**
   * Tells every replica that is ready to read its configuration anew, as the option `reload` says. Resolves when all are
   * told: signals were sent, functions and commands have ended. A service with readiness by notification says itself
   * when it has reloaded (RELOADING=1, READY=1). A command ends with the process that it is for.
   *
   * @throws InvalidOptionError without the option `reload`.
   * @throws ServiceError where a command fails; what a function throws is thrown on. All replicas are told before.
   */
  async reload(): Promise<void> {
    const { reload } = this.#plan;
    if (reload === undefined) {
      throw new InvalidOptionError("reload", undefined, `the service ${quoted(this.name)} was made without it`);
    }
    const ready = this.#replicas.filter(({ state }) => state === "ready");
    const told = await Promise.allSettled(
      ready.map((replica) => tellToReload(this.#host, this.#plan, reload, replica)),
    );
    for (const result of told) {
      if (result.status === "rejected") throw result.reason;
      if (result.value !== undefined) throw this.#error(result.value);
    }
  }

  /**
   * Changes the number of replicas: those with the highest indexes are stopped, new ones started; the others stay what
   * they are. Of a service that is stopped, or being stopped, only the number changes. Resolves when new ones are ready,
   * as {@link ready} does, or old ones are gone.
   *
   * @param replicas 1–1024
   * @throws InvalidOptionError, or PidpoolError ERR_CLOSED.
   */
  async scale(replicas: number): Promise<void> {
    integer("replicas", replicas, 1, MAX_REPLICAS);
    const starts = replicas > this.#replicas.length && !isIdle(this.#state) && this.#state !== "stopping";
    const refusal = starts ? this.#open() : undefined;
    if (refusal !== undefined) throw refusal;
    const surplus = this.#replicas.slice(replicas);
    const gone = surplus.map((replica) => replica.whenGone());
    const arrived = this.#together(() => {
      this.#replicas.length = Math.min(replicas, this.#replicas.length);
      for (const replica of surplus) this.#dismiss(replica);
      const added = this.#grow(replicas);
      return starts ? this.#start(added) : undefined;
    });
    await arrived;
    await Promise.all(gone);
  }

  /** Lets Node end while replicas run, or wait to be started again. */
  unref(): this {
    return this.#setRef(false);
  }

  /** Undoes {@link unref}. */
  ref(): this {
    return this.#setRef(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #setRef(refed: boolean): this {
    this.#refed = refed;
    for (const replica of [...this.#replicas, ...this.#leaving.values()]) replica.setRef(refed);
    return this;
  }

  #start(replicas: readonly ReplicaRuntime[]): Promise<void> {
    const arrived = this.#arrival.expect(replicas.filter(({ state }) => state !== "ready" && state !== "reloading"));
    this.#together(() => {
      for (const replica of replicas) replica.start();
    });
    return arrived;
  }

  #dismiss(replica: ReplicaRuntime): void {
    this.#counts[replica.state]--;
    this.#arrival.came(replica);
    this.#leaving.set(replica.index, replica);
    replica.stop();
    if (isIdle(replica.state)) this.#leaving.delete(replica.index);
  }

  /** Returns those that were added. One that is leaving comes back: there are never two processes of one index. */
  #grow(count: number): readonly ReplicaRuntime[] {
    const before = this.#replicas.length;
    for (let index = before; index < count; index++) {
      const replica =
        this.#leaving.get(index) ??
        new ReplicaRuntime(index, this.#plan, this.#specOf(index), this.#host, this.#events, this.#refed);
      this.#leaving.delete(index);
      this.#counts[replica.state]++;
      this.#replicas.push(replica);
    }
    this.#views = Object.freeze(this.#replicas.map(({ view }) => view));
    return this.#replicas.slice(before);
  }

  #specOf(index: number): LaunchSpec {
    return replicaSpec(this.#plan, index, this.#sockets?.passTo(this.#plan.launch.stdio));
  }

  /** It is to be up: opens what it needs, and forgets what was to follow a stop or an escalation. Or returns why it cannot. */
  #revive(): Error | undefined {
    const refusal = this.#open();
    if (refusal !== undefined) return refusal;
    this.#keepSockets = undefined;
    this.#escalation = undefined;
    return undefined;
  }

  /** Enters the pool and opens the sockets, or returns why not. */
  #open(): Error | undefined {
    const refusal = this.#host.enter(this);
    const { listen } = this.#plan;
    if (refusal !== undefined || listen.length === 0 || this.#sockets !== undefined) return refusal;
    try {
      this.#sockets = new StandingSockets(listen);
    } catch (error) {
      this.#host.leave(this);
      return error as Error;
    }
    for (const replica of this.#replicas) replica.spec = this.#specOf(replica.index);
    return undefined;
  }

  /** It is idle, so that no launch uses the sockets. One that its group may start again keeps them until it is stopped. */
  #rest(): void {
    const mayReturn = this.#state !== "failed" || this.#plan.rules.startLimit.action === "escalate";
    const keep = this.#keepSockets ?? (this.overseer !== undefined && mayReturn);
    if (!keep) {
      this.#sockets?.close();
      this.#sockets = undefined;
    }
    // With sockets it is the pool's to stop.
    if (this.#sockets === undefined) this.#host.leave(this);
  }

  // ---- what replicas do

  /** Several changes, of which only the outcome counts. Listeners are called after them. */
  #together<T>(change: () => T): T {
    return this.#news.hold(() => {
      this.#changing++;
      try {
        return change();
      } finally {
        this.#changing--;
        this.#update();
      }
    });
  }

  #changed(replica: ReplicaRuntime, from: ReplicaState): void {
    this.#together(() => {
      const { state, index } = replica;
      this.#news.tell(() => this.emit("replica", replica.view));
      if (this.#leaving.get(index) === replica) {
        if (isIdle(state)) this.#leaving.delete(index);
        return;
      }
      this.#counts[from]--;
      this.#counts[state]++;
      if (state === "ready") this.#arrival.came(replica);
      // It will not be ready again, which is what a rollout waits for.
      if (state === "exited") this.#rollout.abandon(this.#endError(replica, "policy"));
    });
  }

  #update(): void {
    if (this.#changing > 0) return;
    const before = this.#state;
    const state = overall(this.#counts);
    this.#state = state;
    if (isIdle(state) && this.#leaving.size === 0) this.#rest();
    if (state !== before) {
      this.#news.tell(() => this.emit("state", state, before));
      if (state === "ready") this.#news.tell(() => this.emit("ready"));
    }
    this.#rollout.advance();
    this.#escalate();
  }

  #failed(replica: ReplicaRuntime, why: Failure): void {
    const error = this.#endError(replica, why);
    this.#giveUpWaiting(error);
    if (why === "escalate") this.#escalation ??= error;
    else this.closeSockets();
    this.#news.tell(() => this.emit("failed", error, replica.view));
    // Those that have ended stay what they are.
    if (this.#escalation === error)
      this.#together(() => {
        for (const each of this.#replicas) if (!isIdle(each.state)) each.stop();
      });
  }

  /** How a replica's last process ended, and why none follows. */
  #endError({ index, lastEnd }: ReplicaRuntime, why: Failure): ServiceError {
    const { rules } = this.#plan;
    const { burst, interval } = rules.startLimit;
    const after =
      why === "policy"
        ? `and is not restarted (${rules.policy})`
        : `and was started ${burst} times within ${interval} ms`;
    const unstarted = lastEnd?.result === "timeout" ? "was not started in time" : "could not be started";
    const report = lastEnd?.report ?? null;
    const how = report === null ? `${unstarted} (${lastEnd?.error?.message ?? ""})` : describeExit(report);
    return this.#error(`replica ${index} ${how} ${after}`);
  }

  /** Once nothing of it is left, whoever stands above hears of it. */
  #escalate(): void {
    const error = this.#escalation;
    if (error === undefined || this.#changing > 0 || !isIdle(this.#state) || this.#leaving.size > 0) return;
    this.#escalation = undefined;
    if (this.overseer === undefined) this.#news.tell(() => this.#host.escalated(error));
    else this.overseer.failed(this, error);
  }

  #giveUpWaiting(why: "was stopped" | ServiceError): void {
    const error = typeof why === "string" ? this.#error(why) : why;
    this.#arrival.fail(error);
    this.#rollout.abandon(error);
  }

  #error(what: string): ServiceError {
    return new ServiceError(this.name, `service ${quoted(this.name)}: ${what}`, this.reports);
  }
}
