// The namespaces of one pool: made when the first launch needs them, entered by
// all that do, gone with the pool.
import { IsolationError, type PidpoolError } from "../errors.ts";
import type { ExitReport } from "../process/report.ts";
import type { Child } from "./child.ts";
import type { Ground } from "./ground.ts";
import { Guardian } from "./guardian.ts";
import type { Launch } from "./launch.ts";

/** {@link Namespaces.provide}: `launch.attempt()` or `launch.failed()` is called later. */
export const PARKED = -0x20000;

/** What namespaces need of their pool. */
export interface NamespaceHost {
  /** Starts a child of the pool's own. Returns 0, NO_ROOM, NO_SLOT or -errno. */
  start(child: Child): number;
  /** The launch waits. */
  park(launch: Launch): void;
  /** It no longer does: attempts it again. */
  resume(launch: Launch): boolean;
  /** It no longer does: it has failed. */
  unpark(launch: Launch): void;
  error(error: PidpoolError): void;
}

interface Home {
  readonly guardian: Guardian;
  ready: boolean;
  readonly waiting: Set<Launch>;
}

/** All guardians of a pool. */
export class Namespaces {
  readonly #host: NamespaceHost;
  readonly #homes = new Map<"shared" | "contained", Home>();
  readonly #alive = new Set<Guardian>();

  constructor(host: NamespaceHost) {
    this.#host = host;
  }

  /**
   * Gives a launch the namespaces that its spec asks for. {@link Ground.leave} gives them back.
   *
   * @returns 0, {@link PARKED}, NO_ROOM, NO_SLOT or -errno.
   */
  provide(launch: Launch, ground: Ground): number {
    const { home } = launch.spec.isolation;
    if (home === "none" || ground.hasHome) return 0;
    if (home === "own") return this.#provideOwn(launch, ground);
    let there = this.#homes.get(home);
    if (there?.guardian.lost === true) there = undefined;
    if (there === undefined) {
      const begun = this.#begin(home, launch);
      if (typeof begun === "number") return begun;
      there = begun;
    }
    if (there.ready) {
      ground.enter(there.guardian);
      return 0;
    }
    there.waiting.add(launch);
    this.#host.park(launch);
    return PARKED;
  }

  #begin(name: "shared" | "contained", launch: Launch): Home | number {
    const waiting = new Set<Launch>();
    const contained = name === "contained";
    const plan = { ...launch.spec.isolation, user: true, pid: contained };
    const settle = (): Launch[] => {
      const launches = [...waiting];
      waiting.clear();
      return launches;
    };
    const guardian = new Guardian(plan, true, {
      ready: () => {
        const open = (): void => {
          home.ready = true;
          for (const waiter of settle()) this.#host.resume(waiter);
          guardian.setRef(false);
        };
        // Fds keep these open; only a pid namespace needs its init.
        if (contained) open();
        else guardian.dismiss(open);
      },
      failed: (stage, errno, detail) => {
        this.#forget(name, guardian);
        for (const waiter of settle()) this.#fail(waiter, stage, errno, detail);
      },
      gone: (report) => {
        this.#forget(name, guardian);
        this.#host.error(lossNotice(report));
      },
    });
    const home: Home = { guardian, ready: false, waiting };
    const result = this.#start(guardian);
    if (result < 0) return result;
    this.#homes.set(name, home);
    return home;
  }

  #provideOwn(launch: Launch, ground: Ground): number {
    const guardian = new Guardian(launch.spec.isolation, false, {
      ready: () => {
        ground.enter(guardian);
        this.#host.resume(launch);
        guardian.setRef(false);
      },
      failed: (stage, errno, detail) => {
        if (guardian.over) this.#alive.delete(guardian);
        this.#fail(launch, stage, errno, detail);
      },
      gone: () => void this.#alive.delete(guardian),
    });
    const result = this.#start(guardian);
    if (result < 0) return result;
    ground.own((done) => this.#end(guardian, done));
    this.#host.park(launch);
    return PARKED;
  }

  #start(guardian: Guardian): number {
    const result = guardian.start((child) => this.#host.start(child));
    if (result >= 0) this.#alive.add(guardian);
    return result;
  }

  #fail(launch: Launch, stage: string, errno: number, detail: number): void {
    this.#host.unpark(launch);
    launch.failed(stage, errno, detail);
  }

  /** Ends a guardian that nobody needs any more. */
  #end(guardian: Guardian, done: () => void): void {
    guardian.end(() => {
      this.#alive.delete(guardian);
      done();
    });
  }

  #forget(name: "shared" | "contained", guardian: Guardian): void {
    if (guardian.over) this.#alive.delete(guardian);
    if (this.#homes.get(name)?.guardian === guardian) this.#homes.delete(name);
  }

  /** The launch no longer waits. */
  forget(launch: Launch): void {
    for (const { waiting } of this.#homes.values()) waiting.delete(launch);
  }

  /** Ends all guardians, and with them whatever still lives in their pid namespaces. */
  async end(): Promise<void> {
    this.#homes.clear();
    await Promise.all([...this.#alive].map((guardian) => new Promise<void>((resolve) => this.#end(guardian, resolve))));
  }
}

function lossNotice(report: ExitReport): IsolationError {
  const how = report.status === "signaled" ? `was killed by ${report.signal}` : "ended";
  return new IsolationError(
    "guardian",
    `the init of the pool's pid namespace ${how}, and the kernel killed all children in it; the next launch makes another`,
  );
}
