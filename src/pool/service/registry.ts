// The services of one pool that are not idle, by name.
import { InvalidOptionError } from "../../errors.ts";
import type { Service } from "./service.ts";

export class ServiceRegistry {
  readonly #services = new Map<string, Service>();

  /** Returns the error where another one has the name. */
  enter(service: Service): InvalidOptionError | undefined {
    const holder = this.#services.get(service.name);
    if (holder !== undefined && holder !== service)
      return new InvalidOptionError("name", service.name, "another service of this pool has that name");
    this.#services.set(service.name, service);
    return undefined;
  }

  leave(service: Service): void {
    if (this.#services.get(service.name) === service) this.#services.delete(service.name);
  }

  /** Stops them all. */
  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#services.values(), (service) => service.stop()));
  }
}
