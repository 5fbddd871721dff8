// Exit reports for tests of pure functions.
import type { ExitFacts } from "pidpool";

/** What every report has, of a child of which nothing is known, but for what is given. */
export function facts<const Given extends Partial<ExitFacts>>(given: Given): ExitFacts & Given {
  const none: ExitFacts = {
    pid: 1,
    reason: "exit",
    message: null,
    startedAt: 0,
    wallMs: 0,
    userMs: null,
    systemMs: null,
    maxRss: null,
    stopped: null,
    limit: null,
    cgroup: null,
    stderrTail: null,
  };
  return { ...none, ...given };
}
