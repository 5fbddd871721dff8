// A service: replicas of one program that are kept alive. What users call; each
// replica's life is in replica-runtime.ts.
import { EventEmitter } from "eventemitter3";
import { InvalidOptionError, ServiceError } from "../../errors.ts";
import type { Notification } from "../../process/notification.ts";
import { describeExit } from "../../process/explain.ts";
import type { LaunchSpec } from "../../process/spec.ts";
import { integer } from "../../process/validate.ts";
import { StandingSockets, type ListenAddress } from "../listen/standing-sockets.ts";
import { runCommand } from "./check.ts";
import { Deferred } from "./deferred.ts";
import type { RestartInfo, ServiceEnd } from "./end.ts";
import type { ServiceHost } from "./host.ts";
import { isIdle, noCounts, overall, type ReplicaState, type ServiceState } from "./lifecycle.ts";
import { commandSpec, MAX_REPLICAS, replicaSpec, type ServicePlan } from "./plan.ts";
import { ReplicaRuntime, type ReplicaEvents } from "./replica-runtime.ts";
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
  /** Taken away by scale(), and not gone yet. */
  readonly #leaving = new Set<ReplicaRuntime>();
  /** Of those that are not leaving. */
  readonly #counts = noCounts();
  readonly #ends: ServiceEnd[] = [];
  readonly #rollout = new Rollout(() => this.#replicas);
  readonly #events: ReplicaEvents;
  #state: ServiceState = "stopped";
  #ready: Deferred | undefined;
  #lastReady: Promise<void> = Promise.resolve();
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
        this.emit("exit", end, replica.view);
      },
      restarted: (info) => {
        const replica = this.#replicas[info.replica];
        if (replica !== undefined) this.emit("restart", info, replica.view);
        this.#host.restarted(info);
      },
      notified: (replica, notification) => void this.emit("notify", notification, replica.view),
      unhealthy: (replica, failures, error) => void this.emit("unhealthy", replica.view, failures, error),
      handOver: ({ report }) => this.overseer?.ended(this, report ?? undefined) ?? false,
      failed: (replica, end, why) => this.#failed(replica, end, why),
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
   */
  get ready(): Promise<void> {
    return this.#lastReady;
  }

  /**
   * Starts the replicas that are stopped, exited or failed, with a new count of starts and delays. The service that
   * {@link ProcessPool.service} returns is started already. Opens the sockets of `listen` that stop() has closed; for
   * port 0 the kernel may choose another one. Rejects with ERR_LISTEN, and starts nothing, where it cannot.
   *
   * @returns {@link ready}
   */
  start(): Promise<void> {
    const refusal = this.#open();
    if (refusal !== undefined) return Promise.reject(refusal);
    this.#keepSockets = undefined;
    this.#escalation = undefined;
    if (this.#ready === undefined && this.#replicas.some(({ state }) => state !== "ready")) {
      this.#ready = new Deferred();
      this.#lastReady = this.#ready.promise;
    }
    this.#together(() => {
      for (const replica of this.#replicas) replica.start();
    });
    return this.#lastReady;
  }

  /**
   * Ends all replicas: `stopSignal`, then SIGKILL after `stopTimeout`, in both cases with all that they have started.
   * Resolves when their processes are gone and the sockets of `listen` are closed; never rejects. No policy starts them
   * again, but start() does.
   */
  async stop({ keepSockets = false }: StopOptions = {}): Promise<void> {
    this.#keepSockets = keepSockets;
    const all = [...this.#replicas, ...this.#leaving];
    const gone = all.map((replica) => replica.whenGone());
    this.#giveUpWaiting("was stopped");
    this.#together(() => {
      for (const replica of all) replica.stop();
    });
    await Promise.all(gone);
  }

  /** Closes the sockets that `stop({ keepSockets: true })` has left open. Those of a service that is not idle stay. */
  closeSockets(): void {
    if (!isIdleState(this.#state)) return;
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
    if (this.#state === "stopped" || this.#state === "exited" || this.#state === "failed") return this.start();
    return this.#together(() => this.#rollout.begin());
  }

  /**
   * Tells every replica that is ready to read its configuration anew, as the option `reload` says. Resolves when all are
   * told: signals were sent, functions and commands have ended. A service with readiness by notification says itself
   * when it has reloaded (RELOADING=1, READY=1).
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
    const told = await Promise.allSettled(ready.map((replica) => this.#reloadOne(replica, reload)));
    const failed = told.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /**
   * Changes the number of replicas: those with the highest indexes are stopped, new ones started. Of a service that is
   * stopped, only the number changes. Resolves when new ones are ready, as {@link ready} does, or old ones are gone.
   *
   * @param replicas 1–1024
   * @throws InvalidOptionError
   */
  async scale(replicas: number): Promise<void> {
    integer("replicas", replicas, 1, MAX_REPLICAS);
    const idle = isIdleState(this.#state);
    const surplus = this.#replicas.slice(replicas);
    const gone = surplus.map((replica) => replica.whenGone());
    const grown = replicas > this.#replicas.length;
    this.#together(() => {
      this.#replicas.length = Math.min(replicas, this.#replicas.length);
      for (const replica of surplus) {
        this.#counts[replica.state]--;
        this.#leaving.add(replica);
        replica.stop();
        if (isIdle(replica.state)) this.#leaving.delete(replica);
      }
      this.#grow(replicas);
    });
    if (grown && !idle) await this.start();
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
    for (const replica of [...this.#replicas, ...this.#leaving]) replica.setRef(refed);
    return this;
  }

  #grow(count: number): void {
    for (let index = this.#replicas.length; index < count; index++) {
      const spec = this.#specOf(index);
      this.#counts.stopped++;
      this.#replicas.push(new ReplicaRuntime(index, this.#plan, spec, this.#host, this.#events, this.#refed));
    }
    this.#views = Object.freeze(this.#replicas.map(({ view }) => view));
  }

  #specOf(index: number): LaunchSpec {
    return replicaSpec(this.#plan, index, this.#sockets?.passTo(this.#plan.launch.stdio));
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

  async #reloadOne(replica: ReplicaRuntime, reload: NonNullable<ServicePlan["reload"]>): Promise<void> {
    if (typeof reload === "number") {
      replica.signal(reload);
    } else if (typeof reload === "function") {
      await reload(replica.view);
    } else {
      const spec = commandSpec(this.#plan, reload, replica.index, this.#plan.startTimeout, replica.pid ?? 0);
      const report = await runCommand(this.#host, spec);
      if (report.reason === "exit" && report.status === "exited" && report.code === 0) return;
      throw this.#error(`the command to reload replica ${replica.index} ${describeExit(report)}`);
    }
  }

  // ---- what replicas do

  /** Several changes, of which only the outcome counts. */
  #together<T>(change: () => T): T {
    this.#changing++;
    try {
      return change();
    } finally {
      this.#changing--;
      this.#update();
    }
  }

  #changed(replica: ReplicaRuntime, from: ReplicaState): void {
    if (!this.#leaving.has(replica)) {
      this.#counts[from]--;
      this.#counts[replica.state]++;
    } else if (isIdle(replica.state)) {
      this.#leaving.delete(replica);
    }
    this.emit("replica", replica.view);
    this.#update();
  }

  #update(): void {
    if (this.#changing > 0) return;
    const replicas = this.#replicas;
    const before = this.#state;
    const state = overall(this.#counts);
    this.#state = state;
    if (isIdleState(state) && this.#leaving.size === 0) this.#rest();
    if (this.#ready !== undefined && replicas.every(({ hasBeenReady }) => hasBeenReady)) {
      this.#ready.resolve();
      this.#ready = undefined;
    }
    if (state !== before) {
      this.emit("state", state, before);
      if (state === "ready") this.emit("ready");
    }
    this.#rollout.advance();
    this.#escalate();
  }

  #failed(replica: ReplicaRuntime, end: ServiceEnd, why: "policy" | "give-up" | "escalate"): void {
    const { rules } = this.#plan;
    const { burst, interval } = rules.startLimit;
    const after =
      why === "policy"
        ? `and is not restarted (${rules.policy})`
        : `and was started ${burst} times within ${interval} ms`;
    const { report } = end;
    const unstarted = end.result === "timeout" ? "was not started in time" : "could not be started";
    const how = report === null ? `${unstarted} (${end.error?.message ?? ""})` : describeExit(report);
    const error = this.#error(`replica ${replica.index} ${how} ${after}`);
    this.#giveUpWaiting(error);
    if (why === "escalate") this.#escalation ??= error;
    else this.closeSockets();
    try {
      this.emit("failed", error, replica.view);
    } finally {
      // Those that have ended stay what they are.
      if (this.#escalation === error)
        this.#together(() => {
          for (const each of this.#replicas) if (!isIdle(each.state)) each.stop();
        });
    }
  }

  /** Once nothing of it is left, whoever stands above hears of it. */
  #escalate(): void {
    const error = this.#escalation;
    if (error === undefined || this.#changing > 0 || !isIdleState(this.#state) || this.#leaving.size > 0) return;
    this.#escalation = undefined;
    if (this.overseer === undefined) this.#host.escalated(error);
    else this.overseer.failed(this, error);
  }

  #giveUpWaiting(why: "was stopped" | ServiceError): void {
    const error = typeof why === "string" ? this.#error(why) : why;
    this.#ready?.reject(error);
    this.#ready = undefined;
    this.#rollout.abandon(error);
  }

  #error(what: string): ServiceError {
    return new ServiceError(this.name, `service ${quoted(this.name)}: ${what}`, this.reports);
  }
}

function isIdleState(state: ServiceState): boolean {
  return state === "stopped" || state === "exited" || state === "failed";
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
