// Services and groups that go up and down while their processes are killed.
import { PidpoolError, type Group, type Service, type ServiceOptions } from "pidpool";
import type { Yard } from "./launches.ts";
import type { Ledger } from "./ledger.ts";
import type { Kit } from "./orders.ts";
import type { Random } from "./random.ts";
import { signalChild } from "./signal-child.ts";

/** What a service's promises may reject with. */
const ALLOWED = new Set(["ERR_SERVICE_FAILED", "ERR_CLOSED", "ERR_LISTEN", "ERR_LAUNCH", "ERR_ISOLATION"]);

/** Begins services in a yard and plays with them. */
export class Services {
  readonly #random: Random;
  readonly #kit: Kit;
  readonly #ledger: Ledger;
  readonly #services = new Map<Yard, Service[]>();
  readonly #groups = new Map<Yard, Group[]>();
  #count = 0;

  constructor(random: Random, kit: Kit, ledger: Ledger) {
    this.#random = random;
    this.#kit = kit;
    this.#ledger = ledger;
  }

  /** A promise of a service: settles, and rejects with nothing of a foreign kind. */
  #expect(what: string, promise: Promise<unknown>): void {
    promise.catch((error: unknown) => {
      if (!(error instanceof PidpoolError) || !ALLOWED.has(error.code)) this.#ledger.fail(`${what}: ${String(error)}`);
    });
  }

  #options(): ServiceOptions {
    const random = this.#random;
    const ready = random.pick(["exec", "notify"] as const);
    return {
      name: `service-${this.#count++}`,
      file: this.#kit.imp,
      args: random.pick([["serve"], ["serve", "30"], ["stubborn", "50000"]]),
      ready,
      startTimeout: random.pick([50, 10_000]),
      replicas: random.int(1, 3),
      stdio: "ignore",
      stopTimeout: random.int(1, 30),
      ...(random.chance(0.3) ? { listen: [{ port: 0, host: "127.0.0.1" }] } : {}),
      restart: {
        policy: random.pick(["always", "on-failure", "no"] as const),
        backoff: { initial: random.int(0, 10), max: 20 },
        startLimit: { burst: random.pick([3, Infinity]), interval: 1000 },
      },
    };
  }

  #tolerate(begin: () => void): void {
    try {
      begin();
    } catch (error) {
      if (!(error instanceof PidpoolError) || !ALLOWED.has(error.code)) throw error;
    }
  }

  start(yard: Yard): void {
    this.#tolerate(() => {
      const service = yard.pool.service(this.#options());
      this.#services.set(yard, [...(this.#services.get(yard) ?? []), service]);
      this.#expect("ready", service.ready);
    });
  }

  group(yard: Yard): void {
    const parts = [this.#options(), this.#options()];
    const strategy = this.#random.pick(["one_for_one", "one_for_all", "rest_for_one"] as const);
    this.#tolerate(() => {
      const group = yard.pool.group({ name: `group-${this.#count++}`, strategy, intensity: 5, period: 1000, parts });
      this.#groups.set(yard, [...(this.#groups.get(yard) ?? []), group]);
      this.#expect("ready", group.ready);
    });
  }

  play(yard: Yard): void {
    const services = this.#services.get(yard) ?? [];
    if (services.length === 0) return this.start(yard);
    const random = this.#random;
    const service = random.pick(services);
    const deed = random.pick(["scale", "restart", "stop", "start", "kill", "kill"] as const);
    const replicas = random.int(1, 4);
    if (deed === "scale") this.#tolerate(() => this.#expect(deed, service.scale(replicas)));
    else if (deed === "restart") this.#expect(deed, service.restart());
    else if (deed === "start") this.#tolerate(() => this.#expect(deed, service.start()));
    else if (deed === "stop") this.#expect(deed, service.stop());
    else this.#kill(service);
  }

  #kill(service: Service): void {
    const { pid } = this.#random.pick(service.replicas);
    if (pid !== null) signalChild(pid, this.#random.pick(["SIGKILL", "SIGTERM", "SIGSEGV"]));
  }

  /** Stops the older ones of a yard, so that they do not become ever more. */
  async thin(yard: Yard): Promise<void> {
    const services = this.#services.get(yard) ?? [];
    const groups = this.#groups.get(yard) ?? [];
    await Promise.all([
      ...services.splice(0, services.length - 2).map((service) => service.stop()),
      ...groups.splice(0, groups.length - 1).map((group) => group.stop()),
    ]);
  }

  /** What there is and how it is, for a round that does not end. */
  tell(): string[] {
    const services = [...this.#services.values()].flat().map(({ name, state, replicas }) => {
      const states = replicas.map((replica) => `${replica.state} ${replica.pid}`).join(", ");
      return `${name} is ${state}: ${states}`;
    });
    const groups = [...this.#groups.values()].flat().map(({ name, state }) => `${name} is ${state}`);
    return [...services, ...groups];
  }

  forget(yard: Yard): void {
    this.#services.delete(yard);
    this.#groups.delete(yard);
  }
}
