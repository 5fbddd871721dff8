// The levels of isolation at which hosts live that are to be killed.
import type { Isolation } from "pidpool";

/** One level, for all children of a host or for some. */
export interface Level {
  readonly name: string;
  readonly isolation: Isolation;
  /** Whether what its children have started ends with the host, too. Elsewhere they start nothing. */
  readonly trees: boolean;
  /** Whether its children have cgroups. */
  readonly cgroup: boolean;
}

const EVERYTHING: Isolation = {
  user: "private",
  network: "private",
  pid: "private",
  mount: true,
  ipc: true,
  uts: true,
  cgroup: true,
};

export const LEVELS: readonly Level[] = [
  { name: "none", isolation: "none", trees: false, cgroup: false },
  { name: "shared", isolation: "shared", trees: false, cgroup: false },
  { name: "private", isolation: "private", trees: false, cgroup: false },
  { name: "contained", isolation: "contained", trees: true, cgroup: false },
  { name: "own-pid", isolation: { pid: "private" }, trees: true, cgroup: false },
  { name: "everything", isolation: EVERYTHING, trees: true, cgroup: false },
  { name: "cgroup", isolation: "none", trees: true, cgroup: true },
  { name: "cgroup-contained", isolation: "contained", trees: true, cgroup: true },
];

/** A host whose children are at levels of all kinds. */
export const MIXED = "mixed";
