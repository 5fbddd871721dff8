// Where hosts live: each world has its own limits, and faults that work there.
import type { Isolation } from "pidpool";
import { FAULTS } from "./faults/all.ts";
import type { Weather } from "./judge.ts";

/** What worlds are made with. */
export interface WorldTools {
  /** The compiled weather.c. */
  readonly weather: string;
  readonly seed: number;
}

const unwrapped = (): readonly string[] => [];

/** A kind of host. */
export interface World {
  readonly name: string;
  /** Put before the command of the host. */
  wrap(tools: WorldTools): readonly string[];
  /** Commands that it needs. */
  readonly needs: readonly string[];
  /** Whether only root can make it. */
  readonly root?: boolean;
  readonly faults: readonly string[];
  readonly excuses: Partial<Weather>;
  readonly isolations: readonly Isolation[];
  /** Whether the host is stopped and goes on, again and again. */
  readonly stopped?: boolean;
}

const everywhere = FAULTS.map(({ name }) => name).filter((name) => name !== "emfile");
const isolations = ["none", "shared", "contained"] as const;

/** A user that nobody else is, whose processes alone count. */
const UID = 61_237;

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
    wrap: ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", "--inh-caps=-all", "prlimit", "--nproc=60"],
    needs: ["setpriv", "prlimit"],
    root: true,
    faults: ["thread-throws", "busy-main-thread", "clock-jumps"],
    excuses: { scarce: true, deaths: true },
    isolations: ["none", "shared"],
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
