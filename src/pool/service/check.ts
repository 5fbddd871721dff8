// Commands beside replicas: probes and reloads, each a child of the pool.
import type { ExitReport } from "../../process/report.ts";
import { SIGKILL } from "../../process/signals.ts";
import type { LaunchSpec } from "../../process/spec.ts";
import type { ServiceHost } from "./host.ts";
import { commandSpec, type CommandPlan, type ServicePlan } from "./plan.ts";

/**
 * Runs a command and resolves to whether it has ended with exit code 0; rejects where it could not be started. It does
 * not keep Node alive: the process that it asks for does.
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
  const report = await runCommand(host, commandSpec(plan, command, index, timeout), { signal, refed: false });
  return report.reason === "exit" && report.status === "exited" && report.code === 0;
}

/**
 * Runs a command and resolves to its report; rejects where it could not be started.
 *
 * @param how `signal` ends it at once; `refed`: whether it keeps Node alive.
 */
export function runCommand(
  host: ServiceHost,
  spec: LaunchSpec,
  { signal, refed = true }: { readonly signal: AbortSignal; readonly refed?: boolean },
): Promise<ExitReport> {
  return new Promise((resolve, reject) => {
    const end = (): void => launch?.stop("aborted", SIGKILL);
    const over = (): void => signal.removeEventListener("abort", end);
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
    if (!refed) launch?.setRef(false);
    signal.addEventListener("abort", end, { once: true });
  });
}
