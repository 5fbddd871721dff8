// Whether a launch that failed is tried again, and when. Running out of fds,
// processes or memory is weather: an exit may make room at any moment.
import { EAGAIN, EMFILE, ENFILE, ENOMEM, ENOSPC } from "../native/errno.ts";

/** Milliseconds: the first wait, the longest, and after how much in all a launch gives up. */
export const RETRY = { first: 5, longest: 500, total: 10_000 } as const;

const EXHAUSTION: ReadonlySet<number> = new Set([EAGAIN, ENOMEM, EMFILE, ENFILE]);
const EARLY_STAGES: ReadonlySet<string> = new Set([
  "supervisor",
  "slot",
  "pipe",
  "clone",
  "files",
  "watch",
  "guardian",
  "cgroup",
]);

/**
 * The delay before the next attempt, or undefined to give up.
 *
 * @param attempt 1 after the first failure.
 * @param elapsed Milliseconds since the first failure.
 */
export function retryDelay(stage: string, errno: number, attempt: number, elapsed: number): number | undefined {
  // RLIMIT_NPROC is also checked when a child that changed its user calls execve.
  // What epoll says of a user who watches as much as fs.epoll.max_user_watches allows is ENOSPC.
  const exhausted =
    (EXHAUSTION.has(errno) && (EARLY_STAGES.has(stage) || (stage === "execve" && errno === EAGAIN))) ||
    (errno === ENOSPC && (stage === "watch" || stage === "pipe"));
  if (!exhausted || elapsed >= RETRY.total) return undefined;
  return Math.min(RETRY.first * 2 ** (attempt - 1), RETRY.longest, RETRY.total - elapsed);
}
