// Keeps one supervisor thread alive: starts it, replaces it when it dies,
// carries messages both ways, and decides whether it keeps Node alive.
import { isMainThread, MessageChannel, receiveMessageOnPort, type MessagePort } from "node:worker_threads";
import { PidpoolError } from "../errors.ts";
import { errnoNumber } from "../native/errno.ts";
import type { Launcher } from "../native/launcher.ts";
import { LAUNCHER } from "../native/layout.ts";
import { explainShortage } from "../native/shortage.ts";
import { wake } from "../native/syscalls.ts";
import { monotonicNow } from "../process/report.ts";
import { Doorbell } from "./doorbell.ts";
import { onExit } from "./exit-hook.ts";
import type { OutputBatch, StopMessage, SupervisorStart } from "./protocol.ts";
import { StandIn } from "./stand-in.ts";
import { ThreadHost, type ThreadLimits } from "./thread-host.ts";

/**
 * Milliseconds that an idle supervisor sleeps at most (why it has to wake at all: supervisor-thread.ts). In a
 * worker thread no exit listener runs when the worker is terminated, so there it looks up more often.
 */
const LONGEST_SLEEP = isMainThread ? 800 : 200;
/** Milliseconds between the death of a thread and its successor: at once, then ever later. */
const REVIVE_DELAY = { factor: 50, longest: 1000, calmAfter: 5000 } as const;

/** What the keeper's owner hears. */
export interface ThreadEvents {
  message(message: OutputBatch): void;
  /** There are reports to read. */
  rang(): void;
  /** All that was said is to be heard now. */
  catchUp(): void;
  /** A thread died, and a successor has begun. */
  died(cause: unknown): void;
  /** A thread could not be started; another try follows, and until then this thread supervises. */
  unmanned(failure: PidpoolError): void;
}

/** Owns the port to a supervisor thread. */
export class ThreadKeeper {
  readonly #limits: ThreadLimits | undefined;
  readonly #launcher: Launcher;
  readonly #events: ThreadEvents;
  readonly #forgetExit: () => void;
  readonly #bell: Doorbell;
  /** The thread that runs or begins. */
  #host: ThreadHost | undefined;
  /** Ends of threads that are under way. */
  readonly #ends = new Set<Promise<void>>();
  #port: MessagePort | undefined;
  #standIn: { readonly port: MessagePort; readonly worker: StandIn } | undefined;
  #reviving: NodeJS.Timeout | undefined;
  #refs = 0;
  #ending = false;
  #quickDeaths = 0;
  #lastDeath = -Infinity;
  /** Threads that died. */
  deaths = 0;
  /** Why there is no thread, while one cannot be started. */
  failure: PidpoolError | undefined;

  constructor(limits: ThreadLimits | undefined, launcher: Launcher, events: ThreadEvents) {
    this.#limits = limits;
    this.#launcher = launcher;
    this.#events = events;
    this.#bell = new Doorbell(launcher.takeBell(), () => events.rang());
    this.#forgetExit = onExit(() => this.#tellEnd());
    this.#start();
  }

  /** Counts the children that keep Node alive. */
  countRef(change: 1 | -1): void {
    this.#refs += change;
    if (this.#refs === 0) {
      this.#port?.unref();
      this.#reviving?.unref();
      this.#standIn?.worker.setRef(false);
    } else if (this.#refs === 1 && change === 1) {
      this.#port?.ref();
      this.#reviving?.ref();
      this.#standIn?.worker.setRef(true);
    }
  }

  /** Posts to the thread and wakes it. Lost if the thread is dead or dies first. */
  send(message: StopMessage): void {
    this.#port?.postMessage(message);
    wake(this.#launcher.wake);
  }

  /** A port of ours, and what is to be given to whoever supervises next. */
  #channel(): { port: MessagePort; begin: SupervisorStart } {
    const { port1: port, port2 } = new MessageChannel();
    port.on("message", (message: OutputBatch) => this.#events.message(message));
    if (this.#refs === 0) port.unref();
    const { region, epoll, wake: wakeFd, bell } = this.#launcher;
    const begin = { region: region.address, epoll, wake: wakeFd, bell, port: port2, longestSleep: LONGEST_SLEEP };
    return { port, begin };
  }

  #start(): void {
    this.#reviving = undefined;
    this.#standIn?.worker.rest();
    this.#hearOut(this.#standIn?.port);
    // Whoever hears of an exit may end the pool.
    if (this.#ending) return;
    const { port, begin } = this.#channel();
    this.#port = port;
    // Of a thread that dies before it has begun, the failed start tells. Both together would start two successors.
    let closed = false;
    port.on("close", () => {
      closed = true;
      if (host.begun) this.#died(port);
    });
    const predecessor = this.#host;
    const host = new ThreadHost(this.#limits);
    this.#host = host;
    host.start(begin).then(
      () => {
        // By now the predecessor's last words have come, which its port's end outruns.
        this.failure = undefined;
        this.#dismiss();
        if (predecessor?.begun === true) this.#events.died(predecessor.cause);
        this.#bury(predecessor);
        if (closed) this.#died(port);
      },
      (error: unknown) => {
        this.#bury(predecessor);
        if (this.#ending) return;
        this.failure = cannotStart(error);
        this.#hearOut(port);
        if (this.#ending) return;
        this.#substitute();
        port.close();
        this.#tryLater();
        this.#events.unmanned(this.failure);
      },
    );
  }

  /**
   * Hears all that one who supervises no more has said: its successor tells again what it finds reaped, and two must not
   * have the memory of one large output.
   */
  #hearOut(port: MessagePort | undefined): void {
    for (;;) {
      const received = port === undefined ? undefined : receiveMessageOnPort(port);
      if (received === undefined) break;
      this.#events.message(received.message as OutputBatch);
    }
    this.#events.catchUp();
  }

  /** This thread supervises until another can. */
  #substitute(): void {
    if (this.#standIn === undefined) {
      const { port, begin } = this.#channel();
      this.#standIn = { port, worker: new StandIn(begin, (cause) => this.#events.died(cause)) };
    }
    const { port, worker } = this.#standIn;
    this.#port = port;
    worker.work();
    worker.setRef(this.#refs > 0);
  }

  #dismiss(): void {
    this.#standIn?.worker.end();
    this.#standIn = undefined;
  }

  #bury(host: ThreadHost | undefined): void {
    if (host === undefined) return;
    const end = host.destroy().then(() => void this.#ends.delete(end));
    this.#ends.add(end);
  }

  #died(port: MessagePort): void {
    if (this.#ending || port !== this.#port) return;
    // All that the thread had posted before it died came before the close event.
    this.#port = undefined;
    this.deaths++;
    this.#tryLater();
  }

  #tryLater(): void {
    const now = monotonicNow();
    this.#quickDeaths = now - this.#lastDeath > REVIVE_DELAY.calmAfter ? 0 : this.#quickDeaths + 1;
    this.#lastDeath = now;
    const delay = Math.min(this.#quickDeaths * REVIVE_DELAY.factor, REVIVE_DELAY.longest);
    this.#reviving = setTimeout(() => this.#start(), delay);
    if (this.#refs === 0) this.#reviving.unref();
  }

  #tellEnd(): void {
    this.#launcher.region.setHeader(LAUNCHER.supervisorStop, 1);
    wake(this.#launcher.wake);
  }

  /** Lets the thread leave its loop, for good, and waits until it has ended. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#forgetExit();
    clearTimeout(this.#reviving);
    this.#tellEnd();
    this.#dismiss();
    this.#port?.close();
    this.#port = undefined;
    this.#bell.close();
    this.#bury(this.#host);
    await Promise.all(this.#ends);
  }
}

function cannotStart(cause: unknown): PidpoolError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const errno = /\b(?:EMFILE|ENFILE|EAGAIN|ENOMEM)\b/.exec(message)?.[0];
  const why = explainShortage(errnoNumber(errno));
  const text = `a supervisor thread could not be started: ${message}${why === undefined ? "" : ` (${why})`}`;
  return new PidpoolError("ERR_SUPERVISOR", text, { errno, cause });
}
