// How a child may speak of itself: the options `notify` and `watchdog`,
// checked, and what they add to its environment.
import { InvalidOptionError } from "../errors.ts";
import { SPEC, SPEC_FLAG } from "../native/layout.ts";
import { SUN_PATH } from "../native/syscalls.ts";
import type { Confinement } from "./confinement.ts";
import type { Variable } from "./env.ts";
import type { IsolationPlan } from "./isolation.ts";
import { hasCapabilities } from "./own-rights.ts";
import { planSeccomp, policyOf } from "./seccomp/options.ts";
import { decide } from "./seccomp/policy.ts";
import { ALLOW, LOG } from "./seccomp/verdict.ts";
import { amount, bag, integer } from "./validate.ts";

/** What a launch needs for a child that speaks of itself. */
export interface NotifyPlan {
  /** Where in the encoded spec a launch writes the path of the child's socket; undefined for a notification fd. */
  readonly socketAt: number | undefined;
  /** The child's /tmp is another one: its socket must not be there. */
  readonly hidesTmp: boolean;
  /** It runs as another user, for whom the socket must be within reach. */
  readonly otherUser: boolean;
  /** The only user who may send to its socket; undefined where the child can become another one. */
  readonly speaker: number | undefined;
  /** Milliseconds; 0 for none. */
  readonly watchdog: number;
  /** The watchdog does not wait for READY=1: for services that are ready from their exec on. */
  readonly watchedFromExec: boolean;
}

/** The options, checked. */
export interface NotifyOptions {
  readonly plan: NotifyPlan;
  readonly variables: readonly Variable[];
  /** The child's notification fd. */
  readonly fd: number | undefined;
}

export const SOCKET_VARIABLE = "NOTIFY_SOCKET";
const WATCHDOG_VARIABLES = ["WATCHDOG_USEC", "WATCHDOG_PID"] as const;

const KEYS: ReadonlySet<string> = new Set(["fd"]);
const MAX_FD = 255;
const MAX_MS = 0x7fffffff;

type Given = Readonly<Record<"notify" | "watchdog" | "uid" | "seccomp", unknown>>;
type Confined = Readonly<{ isolation: IsolationPlan; confinement: Confinement | undefined }>;

/**
 * Checks the options; undefined where the child cannot speak.
 *
 * @throws InvalidOptionError
 */
export function planNotify(o: Given, { isolation, confinement }: Confined): NotifyOptions | undefined {
  const given = o.notify ?? false;
  const watchdog = Math.ceil(amount("watchdog", o.watchdog ?? 0, 0, MAX_MS, "milliseconds"));
  if (watchdog > 0 && given !== true) {
    throw new InvalidOptionError("watchdog", o.watchdog, "it needs notify: true, for the child to say WATCHDOG=1");
  }
  if (given === false) return undefined;
  const plan = {
    socketAt: undefined,
    hidesTmp: isolation.hidesTmp,
    otherUser: o.uid !== undefined,
    speaker: speaker(o.uid, confinement),
    watchdog: Number.isFinite(watchdog) ? watchdog : 0,
    watchedFromExec: false,
  };
  if (given === true) {
    requireSockets(o.seccomp);
    return { plan, variables: variables(plan.watchdog), fd: undefined };
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InvalidOptionError("notify", given, "it must be true, false or { fd }");
  }
  const fd = integer("notify.fd", bag("notify", given, KEYS)["fd"], 3, MAX_FD);
  return { plan, variables: [], fd };
}

/**
 * Strangers do not count, but could fill the socket's queue: its path can be read in /proc/net/unix. So they are kept
 * away where the child is one user for ever, with neither set-id programs nor rights to become another.
 */
function speaker(uid: unknown, confinement: Confinement | undefined): number | undefined {
  const { flags = 0, words = [] } = confinement ?? {};
  const locked = (flags & SPEC_FLAG.noNewPrivs) !== 0;
  const powerless = (flags & SPEC_FLAG.capabilities) !== 0 && !words.some(([field]) => field === SPEC.capabilities);
  if (!locked || (!powerless && hasCapabilities("CAP_SETUID"))) return undefined;
  return typeof uid === "number" ? uid : process.geteuid?.();
}

/** Whatever this process itself was given of the kind is not meant for the child. */
function variables(watchdog: number): Variable[] {
  const [usec, pid] = WATCHDOG_VARIABLES;
  const on = watchdog > 0;
  return [
    { name: SOCKET_VARIABLE, value: SUN_PATH },
    { name: usec, value: on ? String(watchdog * 1000) : null },
    { name: pid, value: on ? undefined : null },
  ];
}

/** A filter that refuses every socket(2) leaves the child without a way to its socket. */
function requireSockets(seccomp: unknown): void {
  if (seccomp === undefined) return;
  const verdicts = decide(policyOf(planSeccomp(seccomp)), "socket");
  if (verdicts.some(({ verdict }) => verdict === ALLOW || verdict === LOG)) return;
  throw new InvalidOptionError(
    "notify",
    true,
    "the option seccomp lets the child make no socket to speak through; allow socket there, or give notify: { fd }",
  );
}
