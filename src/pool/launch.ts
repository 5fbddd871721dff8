// One call of run() or spawn() on its way: waiting for a place, launching,
// trying again, running, settled. It settles its promise exactly once.
import { performance } from "node:perf_hooks";
import { ExitError, InvalidOptionError, PidpoolError } from "../errors.ts";
import { locateCore } from "../process/core-dump.ts";
import { launchError } from "../process/diagnose.ts";
import type { Notification } from "../process/notification.ts";
import { limitReason, ownLimit } from "../process/limit-reason.ts";
import { type KillScope, Process, type ProcessControl } from "../process/process.ts";
import type { ExitReason, ExitReport } from "../process/report.ts";
import type { RunResult } from "../process/result.ts";
import { SIGKILL, SIGSTOP } from "../process/signals.ts";
import type { LaunchSpec } from "../process/spec.ts";
import { signalDescendants } from "../process/tree.ts";
import { EAGAIN, errnoName, errnoNumber } from "../native/errno.ts";
import { onAbort } from "./abort.ts";
import { Child, type ChildEvents } from "./child.ts";
import type { Collected } from "./collect-output.ts";
import { Deeds } from "./deeds.ts";
import type { Ticket } from "./fifo.ts";
import { abortError, exitErrorMessage, inputError } from "./launch-errors.ts";
import { PARKED } from "./namespaces.ts";
import { RETRY, retryDelay } from "./retry.ts";
import type { Rostered } from "./roster.ts";
import { Speech } from "./speech.ts";
import { NO_ROOM, NO_SLOT } from "./supervisor.ts";
import { thisTurn } from "./turn.ts";

/** What a launch needs of its pool. */
export interface LaunchHost {
  /** Begins the launch now. Returns 0, NO_ROOM, NO_SLOT, PARKED or -errno. */
  begin(launch: Launch): number;
  /** Calls `launch.attempt()` when an exit makes room or the delay is over. `exhausted`: the system lacked something. */
  retry(launch: Launch, delay: number, exhausted: boolean): void;
  /** The launch no longer waits, in the queue or for a retry. */
  forget(launch: Launch): void;
  /** The child's program runs. */
  spawned(launch: Launch, pid: number): void;
  /** The launch is over; `report` is missing where there was no child. */
  settled(launch: Launch, report: ExitReport | undefined): void;
}

/** How the caller is answered. */
export interface Answer<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Attempts that came to nothing. */
interface Failures {
  count: number;
  readonly since: number;
}

/** A launch in whatever state. */
export class Launch implements ChildEvents, ProcessControl, Rostered {
  readonly spec: LaunchSpec;
  readonly child: Child;
  /** Place in the admission's queue, -1 for none. */
  ticket: Ticket = -1;
  rosterIndex = -1;
  readonly #host: LaunchHost;
  readonly #run: Answer<RunResult> | undefined;
  readonly #spawn: Answer<Process> | undefined;
  // Thousands of children live at once: what few of them need is made when they do.
  /** Milliseconds from the call until the launch began; until then less the time of the call, so negative. */
  #waitMs = -performance.now();
  #forgetAbort: (() => void) | undefined;
  #failures: Failures | undefined;
  #deeds: Deeds | undefined;
  #speech: Speech | undefined;
  #process: Process | undefined;
  /** Resolves once the group that no child was born in is gone. */
  #abandoned: Promise<void> | undefined;
  #announced = false;
  /** The turn in which spawn() was resolved: whoever awaits that has not had a chance to listen before the next one. */
  #bornIn = -1;
  /** Somebody has asked for its end. */
  #unwanted: "stopped" | "aborted" | undefined;
  /** There is no child any more, and will be none. */
  #gone = false;

  constructor(
    host: LaunchHost,
    spec: LaunchSpec,
    announce: boolean,
    run: Answer<RunResult> | undefined,
    spawn: Answer<Process> | undefined,
  ) {
    this.spec = spec;
    this.#host = host;
    this.#run = run;
    this.#spawn = spawn;
    // A group's fd is closed as soon as the child is in it.
    this.child = new Child(spec, this, announce || spawn !== undefined || spec.cgroup !== undefined);
    if (spec.signal !== undefined) this.#forgetAbort = onAbort(spec.signal, () => this.#abort());
  }

  /** Milliseconds from the call until the launch began. */
  get waitMs(): number {
    return Math.max(0, this.#waitMs);
  }

  /** What the launch needs beside its child cannot be had. */
  refused(error: unknown): void {
    const { errno } = error as Partial<PidpoolError>;
    this.#failedWith("cgroup", errnoNumber(errno), () => this.#reject(error));
  }

  /** Ends it, with all that it has started where it leads a session or group: takes it back if its launch has not begun. */
  stop(reason: ExitReason, signal: number): void {
    if (this.#gone) return;
    this.#unwanted ??= "stopped";
    const { supervisor } = this.child;
    if (supervisor === undefined) this.drop(this.#unstarted());
    else supervisor.stop(this.child, reason, signal);
  }

  /** After {@link stop}: SIGKILL comes in so many milliseconds. */
  postponeKill(killAfter: number): void {
    this.child.supervisor?.postponeKill(this.child, killAfter);
  }

  /** Gives back what was made for it. */
  leave(): void {
    const abandoned = this.child.ground?.leave();
    if (abandoned !== undefined) this.#abandoned = abandoned;
  }

  /** Begins, or begins again. */
  attempt(): void {
    if (this.#waitMs < 0) this.#waitMs += performance.now();
    if (this.child.inputError !== undefined) {
      this.#end(undefined);
      this.#reject(inputError(this.spec, this.child.inputError));
      return;
    }
    let result: number;
    try {
      result = this.#host.begin(this);
    } catch (error) {
      // Not even a supervisor could be set up, or none has a thread: one that fails as it begins says nothing of why.
      const { code, errno } = error as Partial<PidpoolError>;
      const number = errno === undefined && code === "ERR_SUPERVISOR" ? EAGAIN : errnoNumber(errno);
      this.#failedWith("supervisor", number, () => this.#reject(error));
      return;
    }
    if (result === PARKED) return;
    if (result === NO_ROOM) {
      this.#host.retry(this, RETRY.first, false);
      return;
    }
    if (result === NO_SLOT) this.failed("slot", EAGAIN, 0);
    else if (result < 0) this.failed("pipe", -result, 0);
  }

  launched(pid: number): void {
    // A successor of a dead supervisor may say it again.
    if (this.#announced) return;
    this.#announced = true;
    this.child.ground?.born();
    this.#host.spawned(this, pid);
    if (this.#spawn === undefined) return;
    const { spec, child } = this;
    this.#process = new Process(pid, spec, child.stdio, this);
    this.#spawn.resolve(this.#process);
    if (spec.notify !== undefined) (this.#speech ??= new Speech()).hold();
    this.#bornIn = thisTurn();
  }

  notified(notification: Notification): void {
    const speech = (this.#speech ??= new Speech());
    speech.words.hear(notification);
    speech.tell(() => this.#process?.heard(notification));
  }

  setRef(ref: boolean): void {
    this.child.setRef(ref);
  }

  kill(signal: number, scope: KillScope): boolean {
    const { spec } = this;
    const group = scope === "group";
    if (group && !spec.leader) {
      throw new InvalidOptionError(
        "group",
        group,
        'the child leads no process group; start it with session: true or session: "group"',
      );
    }
    const toChild = (): number | undefined => this.child.supervisor?.signal(this.child, signal, group);
    const result = scope === "tree" && signal !== 0 ? this.#signalTree(signal, toChild) : toChild();
    if (result === undefined) return false;
    if (result >= 0) {
      (this.#deeds ??= new Deeds()).sent(signal);
      return true;
    }
    const errno = errnoName(-result);
    if (errno === "ESRCH") return false;
    throw new PidpoolError(
      "ERR_UNSUPPORTED",
      `the kernel refuses the signal to process ${this.#process?.pid}: ${errno}`,
      {
        syscall: group ? "kill" : "pidfd_send_signal",
        errno,
      },
    );
  }

  escalate(): void {
    const result = this.child.supervisor?.signal(this.child, SIGKILL, false);
    if (result !== undefined && result >= 0) (this.#deeds ??= new Deeds()).escalated();
  }

  #signalTree(signal: number, toChild: () => number | undefined): number | undefined {
    const { child, spec } = this;
    const pid = this.#process?.pid;
    if (pid === undefined || child.supervisor === undefined) return undefined;
    if (signal !== SIGKILL) {
      let result: number | undefined;
      // The child before its descendants: it may end by itself when those do.
      signalDescendants(pid, signal, spec.leader, () => (result = toChild()));
      return result;
    }
    if (child.ground?.kill() !== true) {
      // A stopped one cannot start others meanwhile; an ended one would leave orphans that nobody finds.
      child.supervisor.signal(child, SIGSTOP, false);
      signalDescendants(pid, signal, spec.leader);
    }
    return toChild();
  }

  failed(stage: string, errno: number, detail: number): void {
    this.#failedWith(stage, errno, () => {
      void launchError(this.spec, stage, errno, detail).then((error) => this.#reject(error));
    });
  }

  #failedWith(stage: string, errno: number, giveUp: () => void): void {
    const now = performance.now();
    const failures = (this.#failures ??= { count: 0, since: now });
    failures.count++;
    const lasting = now - failures.since;
    // No child can be born into a pid namespace whose init has died.
    const homeless = this.child.ground?.lost === true && lasting < RETRY.total;
    const delay = homeless ? RETRY.first : retryDelay(stage, errno, failures.count, lasting);
    this.leave();
    // Stopped after the launcher had failed, and before that was heard here: nobody else knows.
    if (delay !== undefined && this.#unwanted !== undefined) {
      this.drop(this.#unstarted());
      return;
    }
    // A stream that was already being read cannot be given to a second child.
    if (
      delay !== undefined &&
      !(this.spec.input !== undefined && "stream" in this.spec.input && stage !== "pipe" && stage !== "supervisor")
    ) {
      this.#host.retry(this, delay, true);
      return;
    }
    this.#end(undefined);
    giveUp();
  }

  cancelled(): void {
    this.#end(undefined);
    const { spec, child } = this;
    this.#reject(
      this.#unwanted === undefined && child.inputError !== undefined
        ? inputError(spec, child.inputError)
        : this.#unstarted(),
    );
  }

  exited(report: ExitReport, collected: Collected): void {
    this.#gone = true;
    const spoken = this.#speech === undefined ? report : { ...report, message: this.#speech.words.message };
    const attributed = this.#withDeeds(this.#attribute(spoken), collected);
    const { ground } = this.child;
    // Not over before the whole tree is.
    if (ground?.lingers === true)
      ground.settle(attributed, this.#deeds?.has("SIGKILL") === true, (seen) => this.#located(seen, collected));
    else this.#located(attributed, collected);
  }

  #located(report: ExitReport, collected: Collected): void {
    if (report.status !== "signaled" || report.core === null) {
      this.#exited(report, collected);
      return;
    }
    void locateCore(report, report.core, this.spec.cwd).then((core) => this.#exited({ ...report, core }, collected));
  }

  /** What kill() did, and the limit that the reason speaks of. */
  #withDeeds(report: ExitReport, { full, noMemory }: Collected): ExitReport {
    const { spec } = this;
    const stopped = this.#deeds === undefined ? report.stopped : this.#deeds.stopped(report);
    const limit =
      report.reason === "output-limit" && !noMemory
        ? ({ name: "maxOutput", value: spec.maxOutput, fd: full < 0 ? null : full } as const)
        : spec.limits.length === 0
          ? null
          : ownLimit(report.reason, spec.limits);
    return limit === null && stopped === report.stopped ? report : { ...report, stopped, limit };
  }

  #exited(report: ExitReport, collected: Collected): void {
    // The exit may be known before the word of the launch.
    if (this.child.announce) this.launched(report.pid);
    const result = this.#result(report, collected);
    this.#end(report);
    // An await goes on in a later microtask, but a short life is over by then.
    if (this.#speech !== undefined) this.#speech.tell(() => this.#process?.settle(result));
    else if (this.#process !== undefined && this.#bornIn === thisTurn()) {
      setImmediate(() => this.#process?.settle(result));
    } else this.#process?.settle(result);
    if (this.#run === undefined) return;
    if (!this.spec.check || (report.status === "exited" && report.code === 0 && report.reason === "exit")) {
      this.#run.resolve(result);
    } else {
      const cause: unknown = report.reason === "aborted" ? this.spec.signal?.reason : this.child.inputError;
      this.#run.reject(new ExitError(exitErrorMessage(result, this.spec.encoding), result, cause));
    }
  }

  /** What the signal alone does not tell: a limit of the child's own, or the end of its guardian. */
  #attribute(report: ExitReport): ExitReport {
    const { limits } = this.spec;
    // The supervisor has seen a dead guardian; that we had killed it, it cannot see.
    const { ground } = this.child;
    if (report.reason === "guardian-died") return ground?.asked === true ? { ...report, reason: "signal" } : report;
    const killed = report.status === "signaled" && report.signal === "SIGKILL" && report.reason === "signal";
    if (killed && this.spec.isolation.home === "contained" && ground?.lost === true)
      return { ...report, reason: "guardian-died" };
    if (limits.length === 0) return report;
    const reason = limitReason(report, limits, (signal) => this.#deeds?.has(signal) ?? false);
    return reason === report.reason ? report : { ...report, reason };
  }

  /** Ends a launch that still waits, with this error; true if it did. */
  drop(error: PidpoolError): void {
    this.#host.forget(this);
    this.#end(undefined);
    this.#reject(error);
  }

  #abort(): void {
    const { child, spec } = this;
    this.#unwanted = "aborted";
    if (child.supervisor === undefined) this.drop(this.#unstarted());
    else child.supervisor.stop(child, "aborted", spec.killSignal);
  }

  /** Why there will be no child though nothing has failed. */
  #unstarted(): PidpoolError {
    if (this.#unwanted === "aborted") return abortError(this.spec);
    const why = this.#unwanted === "stopped" ? `${this.spec.file} was stopped` : "the pool was destroyed";
    return new PidpoolError("ERR_CLOSED", `${why} before the child was started`);
  }

  #end(report: ExitReport | undefined): void {
    this.#gone = true;
    this.#forgetAbort?.();
    this.leave();
    this.#host.settled(this, report);
  }

  #reject(error: unknown): void {
    if (this.#abandoned === undefined) (this.#run ?? this.#spawn)?.reject(error);
    else void this.#rejectAfter(this.#abandoned, error);
  }

  async #rejectAfter(gone: Promise<void>, error: unknown): Promise<void> {
    await gone;
    (this.#run ?? this.#spawn)?.reject(error);
  }

  #result(report: ExitReport, { output, truncated }: Collected): RunResult {
    const { spec } = this;
    return {
      file: spec.file,
      args: spec.args,
      pid: report.pid,
      exit: report,
      stdout: output[1] ?? null,
      stderr: output[2] ?? null,
      output,
      truncated,
      waitMs: this.waitMs,
    };
  }
}
