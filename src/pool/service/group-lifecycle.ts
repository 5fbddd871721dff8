// The life of a group, as a table of states and events that the compiler
// checks to be whole.

/**
 * `"starting"`: for the first time since it was stopped. `"restarting"`: at least one part is stopped and started
 * again by the group. `"failing"`: its parts are being stopped, then it is `"failed"`.
 */
export type GroupState = "stopped" | "starting" | "ready" | "restarting" | "stopping" | "failing" | "failed";

/**
 * `start`, `restart` and `stop` are asked for; `hurt`: a part has ended that the group must start anew; `fail`: that
 * was one too many, or a part could not be started the first time; `up`: all parts are ready; `gone`: none is left.
 */
export type GroupEvent = "start" | "restart" | "stop" | "hurt" | "fail" | "up" | "gone";

/** Heard, and nothing follows. */
const SAME = "same";
/** Cannot happen: a mistake of the group. */
const NEVER = "never";

type Next = GroupState | typeof SAME | typeof NEVER;

/** Nothing of it lives, and nothing is under way. */
const IDLE = {
  start: "starting",
  restart: "starting",
  stop: SAME,
  hurt: NEVER,
  fail: NEVER,
  up: NEVER,
  gone: NEVER,
} as const;
/** All parts are doomed: no end of them is news. A start waits until they are gone. */
const ENDING = { start: "starting", restart: "starting", stop: SAME, hurt: NEVER, fail: NEVER, up: NEVER } as const;

const TABLE = {
  stopped: IDLE,
  // An end leaves it starting: a part that cannot be started after that still fails it.
  starting: { start: SAME, restart: SAME, stop: "stopping", hurt: SAME, fail: "failing", up: "ready", gone: NEVER },
  ready: {
    start: SAME,
    restart: "restarting",
    stop: "stopping",
    hurt: "restarting",
    fail: "failing",
    up: NEVER,
    gone: NEVER,
  },
  restarting: { start: SAME, restart: SAME, stop: "stopping", hurt: SAME, fail: "failing", up: "ready", gone: NEVER },
  stopping: { ...ENDING, gone: "stopped" },
  failing: { ...ENDING, gone: "failed" },
  failed: IDLE,
} as const satisfies Record<GroupState, Record<GroupEvent, Next>>;

/**
 * The state after an event; the same one where nothing follows.
 *
 * @throws Error for an event that cannot happen in this state.
 */
export function transition(state: GroupState, event: GroupEvent): GroupState {
  const next: Next = TABLE[state][event];
  if (next === NEVER) throw new Error(`a group that is ${state} cannot have the event ${event}`);
  return next === SAME ? state : next;
}

/** Whether nothing of it lives, and nothing is under way. */
export function isIdle(state: GroupState): boolean {
  return state === "stopped" || state === "failed";
}

/** Whether the parts are meant to be up. */
export function wantsUp(state: GroupState): boolean {
  return state === "starting" || state === "ready" || state === "restarting";
}
