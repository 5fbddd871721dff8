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

  /** Begins to stop them all; those in groups when their group does. */
  stop(): void {
    for (const service of this.#services.values()) if (service.overseer === undefined) void service.stop();
  }
}
