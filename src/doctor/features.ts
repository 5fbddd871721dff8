// Every feature that the doctor looks at, in the order of its report: which
// Linux brought it, and what cannot be had without it.

/**
 * `since`: the Linux version that brought it, null where that says nothing. `neededFor`: launch options by their path,
 * or what else needs it.
 */
export const FEATURES = {
  native: { group: "launching", since: null, neededFor: ["every launch"] },
  kernel: { group: "launching", since: "5.10", neededFor: ["every launch"] },
  pidfd_open: { group: "launching", since: "5.3", neededFor: ["every launch"] },
  pidfd_send_signal: { group: "launching", since: "5.1", neededFor: ["every launch"] },
  waitid: { group: "launching", since: "5.4", neededFor: ["every launch"] },
  close_range: { group: "launching", since: "5.9", neededFor: ["every launch"] },
  launch: { group: "launching", since: "5.10", neededFor: ["every launch"] },
  clone3: { group: "launching", since: "5.3", neededFor: ["isolation.user", "isolation.pid", "cgroup"] },
  "legacy-clone": { group: "launching", since: "5.2", neededFor: ["every launch where clone3 is refused"] },
  "exit-info": { group: "launching", since: "6.15", neededFor: ["exit statuses that foreign code takes away"] },
  sigchld: { group: "launching", since: null, neededFor: ["CPU times and peak memory in reports"] },

  "isolation-shared": { group: "isolation", since: "3.8", neededFor: ['isolation: "shared" (the default)'] },
  "isolation-contained": { group: "isolation", since: "3.8", neededFor: ['isolation: "contained"'] },
  "isolation-private": { group: "isolation", since: "3.8", neededFor: ['isolation: "private"'] },
  "user-namespace": { group: "isolation", since: "3.8", neededFor: ["isolation.user"] },
  "network-namespace": { group: "isolation", since: "3.0", neededFor: ["isolation.network"] },
  "pid-namespace": { group: "isolation", since: "3.8", neededFor: ["isolation.pid"] },
  "mount-namespace": { group: "isolation", since: "3.8", neededFor: ["isolation.mount"] },
  "ipc-namespace": { group: "isolation", since: "3.0", neededFor: ["isolation.ipc"] },
  "uts-namespace": { group: "isolation", since: "3.0", neededFor: ["isolation.uts", "isolation.hostname"] },
  "cgroup-namespace": { group: "isolation", since: "4.6", neededFor: ["isolation.cgroup"] },
  "time-namespace": { group: "isolation", since: "6.3", neededFor: ["isolation.time"] },
  "read-only-mounts": { group: "isolation", since: "5.12", neededFor: ["isolation.mount.readOnly"] },
  "own-proc": { group: "isolation", since: "3.8", neededFor: ["isolation.mount.proc"] },
  "namespace-limits": { group: "isolation", since: "4.9", neededFor: ["isolation"] },

  seccomp: { group: "confinement", since: "3.17", neededFor: ["seccomp"] },
  landlock: { group: "confinement", since: "5.13", neededFor: ["filesystem", "tcp"] },
  "landlock-move": { group: "confinement", since: "5.19", neededFor: ["filesystem"] },
  "landlock-truncate": { group: "confinement", since: "6.2", neededFor: ["filesystem"] },
  "landlock-tcp": { group: "confinement", since: "6.7", neededFor: ["tcp"] },
  "landlock-ioctl": { group: "confinement", since: "6.10", neededFor: ["device ioctls under filesystem"] },
  "landlock-scope": {
    group: "confinement",
    since: "6.12",
    neededFor: ["signals and abstract sockets under filesystem"],
  },

  "cgroup-v2": { group: "cgroups", since: "4.5", neededFor: ["cgroup"] },
  "cgroup-create": { group: "cgroups", since: "4.5", neededFor: ["cgroup"] },
  "cgroup-kill": { group: "cgroups", since: "5.14", neededFor: ["killing a whole cgroup at once"] },
  "cgroup-memory": { group: "cgroups", since: "4.5", neededFor: ["limits of memory for a cgroup"] },
  "cgroup-pids": { group: "cgroups", since: "4.5", neededFor: ["limits of processes for a cgroup"] },
  "cgroup-cpu": { group: "cgroups", since: "4.15", neededFor: ["limits of CPU time for a cgroup"] },
  "cgroup-io": { group: "cgroups", since: "4.5", neededFor: ["limits of disk traffic for a cgroup"] },

  "open-files": { group: "limits", since: null, neededFor: ["many live children"] },
  processes: { group: "limits", since: null, neededFor: ["many live children"] },
} as const;

/** What the doctor looks at, one by one. */
export type Feature = keyof typeof FEATURES;

/** How features are put together in a table. */
export type FeatureGroup = (typeof FEATURES)[Feature]["group"];
