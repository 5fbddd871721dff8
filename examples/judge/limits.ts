// What a submission may do: next to nothing. See docs/isolation.md.
import type { IsolationOptions, RunOptions } from "pidpool";

const SECONDS = 1;

/** Its own processes, no network, nothing to write but a /tmp of its own, no rights. */
export const ISOLATION: IsolationOptions = {
  user: "private",
  network: "private",
  pid: "private",
  ipc: true,
  mount: { tmp: true, readOnly: ["/"] },
};

/** For the programs that are judged. */
export const LIMITS: RunOptions<"capture", "utf8"> = {
  isolation: ISOLATION,
  // Where this one was started may lie beneath the /tmp that is hidden.
  cwd: "/tmp",
  seccomp: "default",
  limits: { cpuSeconds: SECONDS, addressSpace: 256 << 20, fileSize: 1 << 20, openFiles: 64, core: 0 },
  // What sleeps uses no CPU time.
  timeout: SECONDS * 2000,
  killAfter: 0,
  maxOutput: 64 << 10,
  env: { PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8" },
  check: false,
};
