// Keeps one supervisor thread alive: starts it, replaces it when it dies,
// carries messages both ways, and decides whether it keeps Node alive.
import { isMainThread, MessageChannel, type MessagePort } from "node:worker_threads";
import type { Launcher } from "../native/launcher.ts";
import { LAUNCHER } from "../native/layout.ts";
import { wake } from "../native/syscalls.ts";
import { monotonicNow } from "../process/report.ts";
import { onExit } from "./exit-hook.ts";
import type { StopMessage, UpMessage } from "./protocol.ts";
import type { SupervisorThreads } from "./threads.ts";

/**
 * Milliseconds that an idle supervisor sleeps at most (why it has to wake at all: supervisor-thread.ts). In a
 * worker thread no exit listener runs when the worker is terminated, so there it looks up more often.
 */
const LONGEST_SLEEP = isMainThread ? 800 : 200;
/** Milliseconds between the death of a thread and its successor: at once, then ever later. */
const REVIVE_DELAY = { factor: 50, longest: 1000, calmAfter: 5000 } as const;

/** What the keeper's owner hears. */
export interface ThreadEvents {
  message(message: UpMessage): void;
  /** A thread died, and a successor has begun or has failed to. */
  died(cause: unknown): void;
}

/** Owns the port to a supervisor thread. */
export class ThreadKeeper {
  readonly #threads: SupervisorThreads;
  readonly #launcher: Launcher;
  readonly #events: ThreadEvents;
  readonly #forgetExit: () => void;
  #port: MessagePort | undefined;
  #reviving: NodeJS.Timeout | undefined;
  #refs = 0;
  #successor = false;
  #ending = false;
  #quickDeaths = 0;
  #lastDeath = -Infinity;
  /** Threads that died. */
  deaths = 0;

  constructor(threads: SupervisorThreads, launcher: Launcher, events: ThreadEvents) {
    this.#threads = threads;
    this.#launcher = launcher;
    this.#events = events;
    this.#forgetExit = onExit(() => this.#tellEnd());
    this.#start();
  }

  /** Counts the children that keep Node alive. */
  countRef(change: 1 | -1): void {
    this.#refs += change;
    if (this.#refs === 0) {
      this.#port?.unref();
      this.#reviving?.unref();
    } else if (this.#refs === 1 && change === 1) {
      this.#port?.ref();
      this.#reviving?.ref();
    }
  }

  /** Posts to the thread and wakes it. Lost if the thread is dead or dies first. */
  send(message: StopMessage): void {
    this.#port?.postMessage(message);
    wake(this.#launcher.wake);
  }

  #start(): void {
    this.#reviving = undefined;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on("message", (message: UpMessage) => this.#events.message(message));
    port1.on("close", () => this.#died(port1));
    if (this.#refs === 0) port1.unref();
    const { region, epoll, wake: wakeFd } = this.#launcher;
    const successor = this.#successor;
    this.#successor = true;
    const begin = {
      region: region.address,
      epoll,
      wake: wakeFd,
      port: port2,
      longestSleep: LONGEST_SLEEP,
      successor,
    };
    this.#threads.start(begin).then(
      () => {
        // By now the predecessor's last words have come, which its port's end outruns.
        if (successor) this.#events.died(this.#threads.takeError());
      },
      (error: unknown) => {
        if (this.#ending) return;
        this.#events.died(error);
        port1.close();
      },
    );
  }

  #died(port: MessagePort): void {
    if (this.#ending || port !== this.#port) return;
    // All that the thread had posted before it died came before the close event.
    this.#port = undefined;
    this.deaths++;
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

  /** Lets the thread leave its loop, for good. */
  end(): void {
    this.#ending = true;
    this.#forgetExit();
    clearTimeout(this.#reviving);
    this.#tellEnd();
    this.#port?.close();
    this.#port = undefined;
  }
}
