// What a group is to do next: which part to stop or to start. Pure functions
// over the parts' phases, in start order. They fold ends into a plan that is
// under way: a part is doomed once, however many ends ask for it.

/** The strategies of OTP's supervisor(3). */
export const STRATEGIES = ["one_for_one", "one_for_all", "rest_for_one"] as const;

/** Which parts go with one that has ended: none, all, or those that were started after it. */
export type Strategy = (typeof STRATEGIES)[number];

/** Where a part is. `"doomed"`: it must be stopped before anything is started. */
export type Phase = "down" | "starting" | "up" | "doomed" | "stopping";

/** `"done"`: every part is where it should be. `"wait"`: a part is on its way. */
export type Step =
  | { readonly act: "stop" | "start"; readonly index: number }
  | { readonly act: "wait" }
  | { readonly act: "done" };

const WAIT: Step = Object.freeze({ act: "wait" });
const DONE: Step = Object.freeze({ act: "done" });

/** Whether a part must be stopped and started when another one, or itself, has ended. */
export function goesWith(strategy: Strategy, ended: number, index: number): boolean {
  switch (strategy) {
    case "one_for_one":
      return index === ended;
    case "one_for_all":
      return true;
    case "rest_for_one":
      return index >= ended;
  }
}

/** One part's phase set. */
export function withPhase(phases: readonly Phase[], index: number, phase: Phase): readonly Phase[] {
  return phases.with(index, phase);
}

/** Dooms all that live and for which `which` holds. */
export function doom(phases: readonly Phase[], which: (index: number) => boolean = () => true): readonly Phase[] {
  return phases.map((phase, index) => (isLive(phase) && which(index) ? "doomed" : phase));
}

/** Whether an end of a part in this phase is news. All others are stopped anyway, or started anyway. */
export function isLive(phase: Phase | undefined): boolean {
  return phase === "up" || phase === "starting";
}

/**
 * The next step: stop what is doomed, the last first; then start what is down, the first first. One part at a time.
 *
 * @param up Whether the parts are meant to be up.
 */
export function nextStep(phases: readonly Phase[], up: boolean): Step {
  if (phases.includes("stopping")) return WAIT;
  const doomed = phases.lastIndexOf("doomed");
  if (doomed >= 0) return { act: "stop", index: doomed };
  if (phases.includes("starting")) return WAIT;
  const down = up ? phases.indexOf("down") : -1;
  return down < 0 ? DONE : { act: "start", index: down };
}
