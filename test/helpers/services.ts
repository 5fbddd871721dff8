// Services for tests, and waiting for what becomes of them.
import type { ReplicaState, Service, ServiceError, ServiceOptions, ServiceState } from "pidpool";
import type { ProcessPool } from "./pool.ts";
import { hasCommands } from "./processes.ts";

/** Why tests that speak sd_notify cannot run here; false where they can. */
export const mute: string | false = hasCommands("systemd-notify") ? false : "systemd-notify is not installed";

/** A service that is a shell script. */
export function script(pool: ProcessPool, text: string, options: Partial<ServiceOptions> = {}): Service {
  return pool.service({ name: "service", file: "sh", args: ["-c", text], ...options });
}

/** Resolves once the service as a whole is in that state, be it for a moment. */
export async function turns(service: Service, state: ServiceState): Promise<void> {
  if (service.state === state) return;
  await new Promise<void>((resolve) => {
    service.on("state", function look(now) {
      if (now !== state) return;
      service.off("state", look);
      resolve();
    });
  });
}

/** Resolves once a replica is in that state, be it for a moment. */
export async function becomes(service: Service, state: ReplicaState, index = 0): Promise<void> {
  if (service.replicas[index]?.state === state) return;
  await new Promise<void>((resolve) => {
    service.on("replica", function look(replica) {
      if (replica.index !== index || replica.state !== state) return;
      service.off("replica", look);
      resolve();
    });
  });
}

/** Resolves once a replica has failed. */
export async function failure(service: Service): Promise<ServiceError> {
  return new Promise((resolve) => service.once("failed", resolve));
}

/** The pid of a replica whose program runs. */
export function pidOf(service: Service, index = 0): number {
  const pid = service.replicas[index]?.pid;
  if (pid === null || pid === undefined) throw new Error(`replica ${index} does not run`);
  return pid;
}
