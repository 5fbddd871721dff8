// What scenarios ask runners for most often.
import type { Runner } from "../runner/runner.ts";
import type { ContestantName } from "../contestants/registry.ts";
import type { FloorWay } from "../floors/floors.ts";
import type { Effort } from "../runner/protocol.ts";
import type { Bench } from "./scenario.ts";

/** Children at a time, where there is nothing else to vary. */
export const IN_FLIGHT = 64;
/** Who is measured in depth; for others there is one figure that shows how they compare. */
export const MAIN: ReadonlySet<ContestantName> = new Set([
  "child_process",
  "child_process, newest Node",
  "Bun.spawn",
  "sigchld",
  "pidpool",
]);
export const MAIN_FLOORS: ReadonlySet<FloorWay> = new Set(["wait4", "files"]);
/** A round that was too short for so many launches an in-flight place goes on, but not for longer than so many rounds. */
const TURNS = 2;
const PATIENCE = 3;

/** How long a measurement takes. */
export function effort(bench: Bench, inFlight: number, milliseconds: number = bench.milliseconds): Effort {
  return { inFlight, milliseconds, least: TURNS * inFlight, most: PATIENCE * milliseconds };
}

/** Runs a program again and again; µs a child. */
export async function churn(runner: Runner, file: string, how: Effort): Promise<number> {
  const { milliseconds, launches } = await runner.ask("churn", { ...how, file, delay: false });
  return (milliseconds * 1000) / launches;
}

/** Lets a fresh process find its feet: code is compiled, threads are started. */
export async function warmUp(bench: Bench, runner: Runner): Promise<void> {
  await churn(runner, bench.children.nop, effort(bench, IN_FLIGHT, bench.milliseconds / 2));
}
