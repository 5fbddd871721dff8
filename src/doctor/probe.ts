// The doctor: what this machine allows, each thing tried by doing it.
import { tryCgroups } from "./cgroups.ts";
import { tryLandlock, trySeccomp, untriedLandlock } from "./confinement.ts";
import { tryIsolation, tryNamespaceLimits, untriedIsolation } from "./isolation.ts";
import { tryExitInfo, tryLaunching, trySigchld } from "./launching.ts";
import { tryLimits } from "./limits.ts";
import { describeMachine, tryBasics } from "./machine.ts";
import { no, resultsOf, untried, type Finding, type Findings, type ProbeReport } from "./report.ts";
import { Trials } from "./trials.ts";

/**
 * Finds out what this machine allows, by trying each thing: system calls are made, and a tiny program is launched
 * under each isolation. Takes some 200 ms, most of it to start a supervisor thread, and leaves nothing behind: no fd,
 * no process, no group.
 *
 * Works everywhere: what is missing is in the report, with the reason and the remedy, and nothing of it makes the promise
 * reject. `npx pidpool doctor` prints it. What it says holds for this process, with its user, capabilities, seccomp
 * filter and cgroup, and for this moment.
 *
 * ```ts
 * const { ready, features } = await probe();
 * const isolation = features.find(({ feature }) => feature === "isolation-shared");
 * if (isolation?.status === "no") console.warn(isolation.detail, isolation.remedy);
 * ```
 */
export async function probe(): Promise<ProbeReport> {
  const machine = describeMachine();
  const basics = tryBasics();
  const there = basics.native.status === "yes";
  const findings: Findings = {
    ...basics,
    ...(await tryLaunches()),
    sigchld: trySigchld(),
    "namespace-limits": tryNamespaceLimits(),
    ...(there ? tryLandlock() : untriedLandlock("there is no native layer")),
    ...tryCgroups(),
    ...tryLimits(),
  };
  const features = resultsOf(findings);
  const ready = features.every(({ neededFor, status }) => !neededFor.includes("every launch") || status !== "no");
  return Object.freeze({ ...machine, ready, features });
}

type Launched = Awaited<ReturnType<typeof tryLaunching>> &
  Awaited<ReturnType<typeof tryIsolation>> &
  Findings<"exit-info" | "seccomp">;

async function tryLaunches(): Promise<Launched> {
  let trials: Trials;
  try {
    trials = new Trials();
  } catch (error) {
    return unlaunched(no((error as Error).message), "no program can be launched");
  }
  try {
    const launching = await tryLaunching(trials);
    if (launching.launch.status === "no") return unlaunched(launching.launch, "no program could be launched");
    return {
      ...launching,
      "exit-info": await tryExitInfo(trials),
      ...(await tryIsolation(trials)),
      seccomp: await trySeccomp(trials),
    };
  } finally {
    await trials.end();
  }
}

function unlaunched(launch: Finding, why: string): Launched {
  const none = untried(why);
  return {
    launch,
    clone3: none,
    "legacy-clone": none,
    "exit-info": none,
    ...untriedIsolation(why),
    seccomp: none,
  };
}
