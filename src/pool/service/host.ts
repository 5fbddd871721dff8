// What a service needs of its pool.
import type { PidpoolError } from "../../errors.ts";
import type { LaunchOptions } from "../../process/options.ts";
import type { Process } from "../../process/process.ts";
import type { LaunchSpec } from "../../process/spec.ts";
import type { Answer, Launch } from "../launch.ts";
import type { RestartInfo } from "./end.ts";
import type { Service } from "./service.ts";

export interface ServiceHost {
  /** The pool's options for its children. */
  readonly defaults: LaunchOptions;
  /** Starts a process as spawn() does. Undefined, and a rejection, where the pool takes nothing new. */
  launch(spec: LaunchSpec, answer: Answer<Process>): Launch | undefined;
  /** A process was started in the place of one that had ended. */
  restarted(info: RestartInfo): void;
  /** Nobody stands above a service that has failed and escalates. */
  escalated(error: PidpoolError): void;
  /** The service is not idle any more. Returns why it cannot be: the pool is closed, or another service has its name. */
  enter(service: Service): PidpoolError | undefined;
  /** It is idle. */
  leave(service: Service): void;
}
