// The life of one replica: what each event makes of each state. The compiler
// sees that no pair is missing; replica.ts acts on what comes out.

/**
 * - `"stopped"`: no process, because it was asked for, or not started yet
 * - `"starting"`: launched, not yet ready
 * - `"ready"`
 * - `"reloading"`: it said RELOADING=1, and not READY=1 since
 * - `"stopping"`: is being ended for good
 * - `"restarting"`: is being ended, to be started anew
 * - `"failing"`: is being ended because it was not ready in time, or unhealthy; what follows is the policy's to say
 * - `"backoff"`: no process; waits to be started again
 * - `"exited"`: no process; it ended cleanly, and the policy lets it be
 * - `"failed"`: no process; it has reached the start limit, or ended uncleanly and the policy lets it be
 */
export type ReplicaState =
  | "stopped"
  | "starting"
  | "ready"
  | "reloading"
  | "stopping"
  | "restarting"
  | "failing"
  | "backoff"
  | "exited"
  | "failed";

/**
 * Asked for: `start`, `stop`, `restart`. The process says or shows that it is `ready`, or that it `reloads`; it is
 * `late` (start timeout) or `unhealthy`. It is `gone`: as asked for; or by itself, and then it is to `respawn` after a
 * delay, it has `finished` cleanly, has `failed` for good, or is `handed` over to the service's group. A delay is `due`.
 */
export type LifecycleEvent =
  | "start"
  | "stop"
  | "restart"
  | "ready"
  | "reloads"
  | "late"
  | "unhealthy"
  | "gone"
  | "respawn"
  | "finished"
  | "failed"
  | "handed"
  | "due";

/** Heard, and nothing follows. */
const SAME = "same";
/** Cannot happen: a mistake of the runtime. */
const NEVER = "never";

type Next = ReplicaState | typeof SAME | typeof NEVER;

/** What a process may still say while it is being ended. */
const TALK = { ready: SAME, reloads: SAME, late: NEVER, unhealthy: NEVER, due: NEVER } as const;
/** There is no process, so nothing can come of one. */
const NOBODY = { ready: NEVER, reloads: NEVER, late: NEVER, unhealthy: NEVER, gone: NEVER } as const;
const NOT_OVER = { respawn: NEVER, finished: NEVER, failed: NEVER, handed: NEVER } as const;
const OVER = { respawn: "backoff", finished: "exited", failed: "failed", handed: "stopped" } as const;

const TABLE = {
  stopped: { start: "starting", stop: SAME, restart: "starting", ...NOBODY, ...NOT_OVER, due: NEVER },
  starting: {
    start: SAME,
    stop: "stopping",
    restart: "restarting",
    ready: "ready",
    reloads: SAME,
    late: "failing",
    unhealthy: NEVER,
    gone: NEVER,
    ...OVER,
    due: NEVER,
  },
  ready: {
    start: SAME,
    stop: "stopping",
    restart: "restarting",
    ready: SAME,
    reloads: "reloading",
    late: NEVER,
    unhealthy: "failing",
    gone: NEVER,
    ...OVER,
    due: NEVER,
  },
  reloading: {
    start: SAME,
    stop: "stopping",
    restart: "restarting",
    ready: "ready",
    reloads: SAME,
    late: NEVER,
    unhealthy: NEVER,
    gone: NEVER,
    ...OVER,
    due: NEVER,
  },
  stopping: { start: "restarting", stop: SAME, restart: "restarting", ...TALK, gone: "stopped", ...NOT_OVER },
  restarting: { start: SAME, stop: "stopping", restart: SAME, ...TALK, gone: "starting", ...NOT_OVER },
  failing: { start: "restarting", stop: "stopping", restart: "restarting", ...TALK, gone: NEVER, ...OVER },
  backoff: { start: "starting", stop: "stopped", restart: "starting", ...NOBODY, ...NOT_OVER, due: "starting" },
  exited: { start: "starting", stop: "stopped", restart: "starting", ...NOBODY, ...NOT_OVER, due: NEVER },
  failed: { start: "starting", stop: "stopped", restart: "starting", ...NOBODY, ...NOT_OVER, due: NEVER },
} as const satisfies Record<ReplicaState, Record<LifecycleEvent, Next>>;

/**
 * The state after an event; the same one where nothing follows.
 *
 * @throws Error for an event that cannot happen in this state.
 */
export function transition(state: ReplicaState, event: LifecycleEvent): ReplicaState {
  const next: Next = TABLE[state][event];
  if (next === NEVER) throw new Error(`a replica that is ${state} cannot have the event ${event}`);
  return next === SAME ? state : next;
}

/** Whether an end of the process was asked for, so that no policy has a say. */
export function endWasAsked(state: ReplicaState): boolean {
  return TABLE[state].gone !== NEVER;
}

/** Whether nothing goes on, in a replica or in all of them: no process, and none to come. */
export function isIdle(state: ReplicaState | ServiceState): boolean {
  return state === "stopped" || state === "exited" || state === "failed";
}

/** What a service as a whole is, by what its replicas are. */
export type ServiceState =
  | "stopped"
  | "starting"
  | "ready"
  | "reloading"
  | "degraded"
  | "stopping"
  | "exited"
  | "failed";

/** How many replicas are in each state. */
export type Counts = Record<ReplicaState, number>;

export function noCounts(): Counts {
  return {
    stopped: 0,
    starting: 0,
    ready: 0,
    reloading: 0,
    stopping: 0,
    restarting: 0,
    failing: 0,
    backoff: 0,
    exited: 0,
    failed: 0,
  };
}

/** There is at least one replica. By counts, since one change of a thousand replicas must not cost a look at them all. */
export function overall(n: Readonly<Counts>): ServiceState {
  const others = n.starting + n.restarting + n.failing + n.backoff;
  const idle = n.stopped + n.exited + n.failed;
  if (others + idle + n.stopping === 0) return n.reloading === 0 ? "ready" : "reloading";
  if (n.ready > 0) return "degraded";
  if (others + n.reloading > 0) return "starting";
  if (n.stopping > 0) return "stopping";
  if (n.failed > 0) return "failed";
  return n.exited > 0 ? "exited" : "stopped";
}
