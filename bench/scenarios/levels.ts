// The isolations that are compared, each with the way of the C program that
// makes its children with the same system calls; and who launches them.
import type { IsolatedWay } from "../floors/floors.ts";
import type { Isolation } from "pidpool";
import { isPrivileged, ordinaryUser, type User } from "../user.ts";

/** What one child is kept apart by. */
export interface Level {
  readonly name: string;
  /** The pool's option. */
  readonly isolation: Isolation;
  readonly floor: "files" | IsolatedWay;
  /** What an ordinary user needs instead. */
  readonly ordinaryFloor?: IsolatedWay;
  /** Each child leaves a network namespace, which the kernel takes long to make and longer to remove. */
  readonly network?: true;
}

/** Whose children they are, and what that adds to the name of a level. */
export interface Launcher {
  readonly user: User | undefined;
  readonly suffix: string;
  readonly levels: readonly Level[];
  readonly privileged: boolean;
}

/** What the others are held against. */
export const NONE = "none";
/** What bubblewrap can do as well. */
export const PRIVATE = "private";

const PRESETS: readonly Level[] = [
  { name: NONE, isolation: "none", floor: "files" },
  { name: "shared", isolation: "shared", floor: "shared" },
  { name: "contained", isolation: "contained", floor: "contained", ordinaryFloor: "contained by a helper" },
  { name: PRIVATE, isolation: "private", floor: "private", network: true },
];

/** Each in a user namespace of its own, which gives an ordinary user the right to it. */
const SINGLE: readonly Level[] = [
  { name: "user", isolation: { user: "private" }, floor: "user" },
  { name: "user and network", isolation: { user: "private", network: "private" }, floor: "network", network: true },
  { name: "user and pid", isolation: { user: "private", pid: "private" }, floor: "pid" },
  { name: "user and mount", isolation: { user: "private", mount: true }, floor: "mount" },
  { name: "user and ipc", isolation: { user: "private", ipc: true }, floor: "ipc" },
  { name: "user and uts", isolation: { user: "private", uts: true }, floor: "uts" },
  { name: "user and cgroup", isolation: { user: "private", cgroup: true }, floor: "cgroup" },
  { name: "user and time", isolation: { user: "private", time: true }, floor: "time" },
];

/** Whoever runs the benchmark; where that is root, an ordinary user too, for whom the ways differ. */
export function launchers(): readonly Launcher[] {
  const privileged = isPrivileged();
  const own: Launcher = { user: undefined, suffix: "", levels: [...PRESETS, ...SINGLE], privileged };
  const user = privileged ? ordinaryUser() : undefined;
  if (user === undefined) return [own];
  return [own, { user, suffix: ", as an ordinary user", levels: PRESETS, privileged: false }];
}
