// Isolation: each level, and each namespace by itself.
import type { IsolationOptions } from "../process/options.ts";
import { idMaps } from "../process/own-rights.ts";
import { limited, no, untried, yes, type Finding, type Findings } from "./report.ts";
import { linesOf, numberIn } from "./text-files.ts";
import { succeeded, type Trials } from "./trials.ts";

type Level = "shared" | "contained" | "private";
type LevelFeature = `isolation-${Level}`;
type NamespaceFeature =
  | `${"user" | "network" | "pid" | "mount" | "ipc" | "uts" | "cgroup" | "time"}-namespace`
  | "read-only-mounts"
  | "own-proc";
type IsolationFeature = LevelFeature | NamespaceFeature;

const LEVELS: Readonly<Record<LevelFeature, Level>> = {
  "isolation-shared": "shared",
  "isolation-contained": "contained",
  "isolation-private": "private",
};

/** A user namespace of the child's own gives the right to the others, and depends on nothing that is the pool's. */
const NAMESPACES: Readonly<Record<NamespaceFeature, readonly [options: IsolationOptions, gives: () => string]>> = {
  "user-namespace": [{ user: "private" }, mappedIds],
  "network-namespace": [{ user: "private", network: "private" }, () => "empty, with no way out"],
  "pid-namespace": [{ user: "private", pid: "private" }, () => "its processes end with it"],
  "mount-namespace": [{ user: "private", mount: true }, () => "mounts of its own"],
  "ipc-namespace": [{ user: "private", ipc: true }, () => "System V IPC and message queues of its own"],
  "uts-namespace": [{ user: "private", uts: true }, () => "a host name of its own"],
  "cgroup-namespace": [{ user: "private", cgroup: true }, () => "the host's groups are hidden"],
  "time-namespace": [{ user: "private", time: true }, () => "clocks of its own"],
  "read-only-mounts": [
    { user: "private", mount: { readOnly: ["/"] } },
    () => "everything read-only, by mount_setattr(2)",
  ],
  "own-proc": [{ user: "private", pid: "private", mount: { proc: true } }, () => "shows its own processes alone"],
};

/** Tries them all, one after the other. */
export async function tryIsolation(trials: Trials): Promise<Findings<IsolationFeature>> {
  const findings: Partial<Record<IsolationFeature, Finding>> = {};
  for (const [feature, level] of entries(LEVELS)) findings[feature] = await tryLevel(trials, level);
  for (const [feature, options] of entries(NAMESPACES)) {
    findings[feature] = await tryNamespace(trials, ...options);
  }
  return findings as Findings<IsolationFeature>;
}

/** What is said of them where no launch is possible. */
export function untriedIsolation(why: string): Findings<IsolationFeature> {
  const features = [...entries(LEVELS), ...entries(NAMESPACES)].map(([feature]) => feature);
  return Object.fromEntries(features.map((feature) => [feature, untried(why)])) as Findings<IsolationFeature>;
}

async function tryLevel(trials: Trials, level: Level): Promise<Finding> {
  const outcome = await trials.run({ isolation: level });
  if (!succeeded(outcome)) return no(outcome.why, outcome.remedy);
  if (level === "shared") return yes("the pool's user namespace and empty network namespace");
  if (level === "private") return yes("a user and a network namespace of each child's own");
  return yes(
    trials.needsDeputy
      ? "the pool's pid namespace; a deputy of the launcher enters it, for want of CAP_SYS_ADMIN on the host"
      : "the pool's pid namespace; the launching thread enters it, by CAP_SYS_ADMIN",
  );
}

async function tryNamespace(trials: Trials, options: IsolationOptions, gives: () => string): Promise<Finding> {
  const outcome = await trials.run({ isolation: options });
  if (succeeded(outcome)) return yes(gives());
  if (Object.keys(options).length > 1) {
    const byRight = await trials.run({ isolation: { ...options, user: "host" } });
    if (succeeded(byRight)) return limited(`only with user: "host"; else ${outcome.why}`, outcome.remedy);
  }
  return no(outcome.why, outcome.remedy);
}

function mappedIds(): string {
  const { uid, gid, denySetgroups } = idMaps();
  if (!denySetgroups) return "all user and group ids stay as they are";
  const [user, group] = [uid, gid].map((map) => map.split(" ")[0]);
  return `uid ${user} and gid ${group} stay as they are; others need CAP_SETUID, CAP_SETGID and CAP_SETFCAP`;
}

const KINDS = ["user", "net", "pid", "mnt", "ipc", "uts", "cgroup", "time"] as const;

/** How many namespaces a user may have. */
export function tryNamespaceLimits(): Finding {
  const limits = KINDS.flatMap((kind) => {
    const limit = numberIn(`/proc/sys/user/max_${kind}_namespaces`);
    return limit === undefined ? [] : [{ name: `user.max_${kind}_namespaces`, limit }];
  });
  if (limits.length === 0) return untried("/proc/sys/user cannot be read");
  const none = limits.filter(({ limit }) => limit === 0).map(({ name }) => name);
  if (none.length > 0) {
    return no(`${none.join(", ")}: 0`, none.map((name) => `sysctl -w ${name}=10000`).join("; "));
  }
  const least = Math.min(...limits.map(({ limit }) => limit));
  const nested = linesOf("/proc/self/uid_map").join(" ").trim().split(/\s+/).join(" ") !== "0 0 4294967295";
  const where = nested ? "; this process is in a user namespace itself" : "";
  return yes(`at least ${least} of each kind for a user${where}`);
}

function entries<K extends string, V>(record: Readonly<Record<K, V>>): [K, V][] {
  return Object.entries(record) as [K, V][];
}
