// Commands beside replicas: probes and reloads, each a child of the pool.
import type { ExitReport } from "../../process/report.ts";
import { SIGKILL } from "../../process/signals.ts";
import type { LaunchSpec } from "../../process/spec.ts";
import type { ServiceHost } from "./host.ts";
import { commandSpec, type CommandPlan, type ServicePlan } from "./plan.ts";

/**
 * Runs a command and resolves to whether it has ended with exit code 0; rejects where it could not be started.
 *
 * @param signal Ends it at once.
 */
export async function runCheck(
  host: ServiceHost,
  plan: ServicePlan,
  command: CommandPlan,
  index: number,
  timeout: number,
  signal: AbortSignal,
): Promise<boolean> {
  const report = await runCommand(host, commandSpec(plan, command, index, timeout), signal);
  return report.reason === "exit" && report.status === "exited" && report.code === 0;
}

/** Runs a command and resolves to its report. */
export function runCommand(host: ServiceHost, spec: LaunchSpec, signal?: AbortSignal): Promise<ExitReport> {
  return new Promise((resolve, reject) => {
    const end = (): void => launch?.stop("aborted", SIGKILL);
    const over = (): void => signal?.removeEventListener("abort", end);
    const launch = host.launch(spec, {
      resolve: (process) =>
        void process.on("exit", (report) => {
          over();
          resolve(report);
        }),
      reject: (error) => {
        over();
        // eslint-disable-next-line typescript/prefer-promise-reject-errors -- it is one, handed on
        reject(error);
      },
    });
    signal?.addEventListener("abort", end, { once: true });
  });
}
