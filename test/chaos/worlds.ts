// Where hosts live: each world has its own limits, and faults that work there.
import type { Isolation } from "pidpool";
import { FAULTS } from "./faults/all.ts";
import type { Weather } from "./judge.ts";

/** What worlds are made with. */
export interface WorldTools {
  /** The compiled weather.c. */
  readonly weather: string;
  readonly seed: number;
  /** A cgroup with a small pids.max; undefined where there is none. */
  readonly pidsGroup: string | undefined;
}

const unwrapped = (): readonly string[] => [];

/** A kind of host. */
export interface World {
  readonly name: string;
  /** Put before the command of the host. */
  wrap(tools: WorldTools): readonly string[];
  /** Commands that it needs. */
  readonly needs: readonly string[];
  /** Whether it needs {@link WorldTools.pidsGroup}. */
  readonly pidsGroup?: boolean;
  /** Whether only root can make it. */
  readonly root?: boolean;
  readonly faults: readonly string[];
  readonly excuses: Partial<Weather>;
  readonly isolations: readonly Isolation[];
  /**
   * MiB of heap that a round may leave: a Worker whose thread cannot be created is never freed, some 15 KB each (Node 20,
   * without this library too).
   */
  readonly heapPerRound?: number;
  /** Whether the host is stopped and goes on, again and again. */
  readonly stopped?: boolean;
}

const everywhere = FAULTS.map(({ name }) => name).filter((name) => name !== "emfile");
const isolations = ["none", "shared", "contained"] as const;

/** A user that nobody else is, whose processes alone count; who else runs this now has another. */
const UID = 60_000 + (process.pid % 4000);

export const WORLDS: readonly World[] = [
  {
    name: "plain",
    wrap: unwrapped,
    needs: [],
    faults: everywhere,
    excuses: {},
    isolations: [...isolations, "private"],
  },
  {
    name: "few-fds",
    wrap: () => ["prlimit", "--nofile=300"],
    needs: ["prlimit"],
    faults: ["emfile", "thread-throws", "busy-main-thread", "killed-children"],
    // A thread that has just begun may run out of fds too.
    excuses: { scarce: true, deaths: true },
    isolations,
  },
  {
    name: "few-processes",
    wrap: () => [
      "setpriv",
      `--reuid=${UID}`,
      `--regid=${UID}`,
      "--clear-groups",
      "--inh-caps=-all",
      "prlimit",
      "--nproc=60",
    ],
    needs: ["setpriv", "prlimit"],
    root: true,
    heapPerRound: 0.12,
    faults: ["thread-throws", "busy-main-thread", "clock-jumps"],
    excuses: { scarce: true, deaths: true },
    isolations: ["none", "shared"],
  },
  {
    name: "pids-cgroup",
    wrap: ({ pidsGroup }) => ["sh", "-c", `echo $$ >${pidsGroup}/cgroup.procs && exec "$@"`, "sh"],
    needs: [],
    pidsGroup: true,
    heapPerRound: 0.12,
    faults: ["thread-throws", "busy-main-thread", "clock-jumps"],
    excuses: { scarce: true, deaths: true },
    isolations,
  },
  {
    name: "failing-calls",
    wrap: ({ weather, seed }) => [weather, String(seed), "20"],
    needs: [],
    faults: ["thread-throws", "killed-children", "busy-main-thread"],
    excuses: { scarce: true, deaths: true },
    isolations,
  },
  {
    name: "stopped",
    wrap: unwrapped,
    needs: [],
    faults: ["thread-throws", "clock-jumps", "stopped-children"],
    excuses: {},
    isolations,
    stopped: true,
  },
];
