// Telling one replica to read its configuration anew.
import { describeExit } from "../../process/explain.ts";
import { runCommand } from "./check.ts";
import type { ServiceHost } from "./host.ts";
import { commandSpec, type ServicePlan } from "./plan.ts";
import type { ReplicaRuntime } from "./replica-runtime.ts";

/** Resolves, once it is told, to what went wrong with a command. Rejects with what a function throws. */
export async function tellToReload(
  host: ServiceHost,
  plan: ServicePlan,
  reload: NonNullable<ServicePlan["reload"]>,
  replica: ReplicaRuntime,
): Promise<string | undefined> {
  if (typeof reload === "number") {
    replica.signal(reload);
    return undefined;
  }
  if (typeof reload === "function") {
    await reload(replica.view);
    return undefined;
  }
  const spec = commandSpec(plan, reload, replica.index, plan.startTimeout, replica.pid ?? 0);
  const report = await runCommand(host, spec, { signal: replica.absence });
  if (report.reason === "exit" && report.status === "exited" && report.code === 0) return undefined;
  return `the command to reload replica ${replica.index} ${describeExit(report)}`;
}
