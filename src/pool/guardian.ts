// One guardian: a process that holds namespaces open for children to enter, and
// as init of a pid namespace takes all that live in it along when it ends.
import { EAGAIN } from "../native/errno.ts";
import type { Joins } from "../native/launcher.ts";
import { close, isHungUp, openFile, pidfdOpen, setNonblocking, socketPair } from "../native/syscalls.ts";
import { guardianSpec } from "../process/guardian-spec.ts";
import type { IsolationPlan } from "../process/isolation.ts";
import type { ExitReport } from "../process/report.ts";
import { SIGKILL } from "../process/signals.ts";
import { Child, type ChildEvents } from "./child.ts";

/** What a guardian tells. Either `failed` comes, or `ready` and later `gone`; none after {@link Guardian.end}. */
export interface GuardianEvents {
  ready(): void;
  failed(stage: string, errno: number, detail: number): void;
  /** It died by itself, and was reaped, and with it all that lived in its pid namespace. */
  gone(report: ExitReport): void;
}

/** Ids of pid namespaces, by which launchers remember where they are. */
let lastId = 0;
const CLOSED: Joins = Object.freeze({ user: -1, network: -1, pid: -1, pidId: 0 });

/** Owns: a socket to the process, and fds of its namespaces. */
export class Guardian implements ChildEvents {
  readonly #plan: IsolationPlan;
  readonly #network: boolean;
  readonly #events: GuardianEvents;
  readonly #id = ++lastId;
  readonly #afterwards: (() => void)[] = [];
  #child: Child | undefined;
  #own = -1;
  #theirs = -1;
  #joins: Joins | undefined;
  #pidfd = -1;
  /** Who may still use the fds; the first is whoever began this guardian. */
  #uses = 1;
  #held = true;
  #asked = false;
  #over = false;

  /** @param network Whether it has a network namespace, for those children that enter one. */
  constructor(plan: IsolationPlan, network: boolean, events: GuardianEvents) {
    this.#plan = plan;
    this.#network = network;
    this.#events = events;
  }

  /** Begins the launch. Returns 0, or what `starter` returned with nothing left open. */
  start(starter: (child: Child) => number): number {
    let result = socketPair(ends);
    if (result < 0) return result;
    [this.#own, this.#theirs] = [ends[0] ?? -1, ends[1] ?? -1];
    setNonblocking(this.#own);
    try {
      this.#child = new Child(guardianSpec(this.#theirs, this.#plan, this.#network), this, true);
      result = starter(this.#child);
    } catch (error) {
      this.#closeSocket();
      throw error;
    }
    if (result < 0) this.#closeSocket();
    return result;
  }

  /** What children enter; undefined until it is ready. */
  get joins(): Joins | undefined {
    return this.#joins;
  }

  /** A pidfd for others to end it with; open as long as {@link joins} are. */
  get pidfd(): number {
    return this.#pidfd;
  }

  /** A socket that hangs up when it dies, before anyone in its pid namespace does; open as long as {@link joins}. */
  get life(): number {
    return this.#own;
  }

  /**
   * Whether it has died by itself. Known before any child of its pid namespace dies of that: the kernel closes
   * a process's files first.
   */
  get lost(): boolean {
    return !this.#asked && (this.#over || (this.#own >= 0 && isHungUp(this.#own)));
  }

  /** The process was reaped, or never was. */
  get over(): boolean {
    return this.#over;
  }

  /** We have ended it, or are about to. */
  get asked(): boolean {
    return this.#asked;
  }

  /** A launch is about to use the fds. */
  retain(): void {
    this.#uses++;
  }

  /** The number of an fd must not become another's while a launch has still to use it: the last one closes. */
  release(): void {
    this.#uses--;
    this.#closeUnused();
  }

  /** Whether it keeps Node alive. */
  setRef(ref: boolean): void {
    this.#child?.setRef(ref);
  }

  /** Ends it, and all that live in its pid namespace; `done` is called once all of them are gone. */
  end(done: () => void): void {
    this.dismiss(done);
    this.#letGo();
  }

  /** Ends the process, but keeps the namespaces: their fds hold them open. Not for a pid namespace, which dies. */
  dismiss(done: () => void): void {
    if (this.#over) {
      done();
      return;
    }
    this.#afterwards.push(done);
    this.setRef(true);
    this.#stop();
  }

  #stop(): void {
    this.#asked = true;
    if (this.#joins !== undefined) this.kill();
  }

  /** SIGKILL, at once, because somebody has asked for it. */
  kill(): void {
    this.#asked = true;
    const child = this.#child;
    if (child !== undefined) child.supervisor?.signal(child, SIGKILL, false);
  }

  launched(pid: number): void {
    if (this.#joins !== undefined) return;
    close(this.#theirs);
    this.#theirs = -1;
    const { user, pid: pids } = this.#plan;
    const open = (wanted: boolean, name: string): number => (wanted ? openFile(`/proc/${pid}/ns/${name}`) : -1);
    const wanted = [user, this.#network, pids];
    const fds = [open(user, "user"), open(this.#network, "net"), open(pids, "pid")];
    if (this.lost) {
      // Its pid may have been another process's already.
      for (const fd of fds) if (fd >= 0) close(fd);
      return;
    }
    this.#joins = { user: fds[0] ?? -1, network: fds[1] ?? -1, pid: fds[2] ?? -1, pidId: pids ? this.#id : 0 };
    // Not reaped before a report that is still to be read: the pid is its own.
    this.#pidfd = pidfdOpen(pid);
    const error = this.#pidfd < 0 ? this.#pidfd : fds.find((fd, i) => wanted[i] === true && fd < 0);
    const asked = this.#asked;
    if (asked || error !== undefined) this.#stop();
    if (error !== undefined) this.#letGo();
    this.#closeUnused();
    if (error !== undefined) this.#events.failed("setns", -error, 0);
    else if (!asked) this.#events.ready();
  }

  failed(stage: string, errno: number, detail: number): void {
    const asked = this.#asked;
    this.#finish();
    if (!asked) this.#events.failed(stage, errno, detail);
  }

  cancelled(): void {
    this.#finish();
  }

  exited(report: ExitReport): void {
    const asked = this.#asked;
    if (!asked) this.#letGo();
    this.#finish();
    if (asked) return;
    if (this.#joins === undefined) this.#events.failed("guardian", EAGAIN, 0);
    else this.#events.gone(report);
  }

  #letGo(): void {
    if (!this.#held) return;
    this.#held = false;
    this.release();
  }

  #closeUnused(): void {
    if (this.#uses > 0 || this.#joins === undefined) return;
    const { user, network, pid } = this.#joins;
    for (const fd of [user, network, pid, this.#pidfd, this.#own]) if (fd >= 0) close(fd);
    this.#joins = CLOSED;
    this.#pidfd = -1;
    this.#own = -1;
  }

  #finish(): void {
    this.#over = true;
    // With fds of its namespaces, launches may still ask this one.
    if (this.#joins === undefined || this.#joins === CLOSED) this.#closeSocket();
    for (const done of this.#afterwards.splice(0)) done();
  }

  #closeSocket(): void {
    for (const fd of [this.#own, this.#theirs]) if (fd >= 0) close(fd);
    this.#own = -1;
    this.#theirs = -1;
  }
}

const ends = new Int32Array(2);
