// The services and groups of one pool that are not idle, by name.
import { InvalidOptionError } from "../../errors.ts";
import type { Supervised } from "./supervised.ts";

export class ServiceRegistry {
  readonly #services = new Map<string, Supervised>();

  /** Returns the error where another one has the name. */
  enter(service: Supervised): InvalidOptionError | undefined {
    const holder = this.#services.get(service.name);
    if (holder !== undefined && holder !== service)
      return new InvalidOptionError("name", service.name, "another service or group of this pool has that name");
    this.#services.set(service.name, service);
    return undefined;
  }

  leave(service: Supervised): void {
    if (this.#services.get(service.name) === service) this.#services.delete(service.name);
  }

  /** Stops them all: groups stop what is in them, then whatever somebody has started there by hand is stopped. */
  async stop(): Promise<void> {
    const top = [...this.#services.values()].filter(({ overseer }) => overseer === undefined);
    await Promise.all(top.map((service) => service.stop()));
    await Promise.all(Array.from(this.#services.values(), (service) => service.stop()));
  }
}
