// The options of a service, checked and resolved once; and the specs of its
// replicas and of the commands beside them, made of it.
import { InvalidOptionError } from "../../errors.ts";
import { bare } from "../../process/bare.ts";
import { copyEnv, type Variable } from "../../process/env.ts";
import type { LaunchOptions } from "../../process/options.ts";
import { signalNumber } from "../../process/signals.ts";
import { snapshot } from "../../process/snapshot.ts";
import { COMMON_OPTION_KEYS, resolveSpec, type LaunchSpec } from "../../process/spec.ts";
import { amount, bag, integer, list, path, plain, text } from "../../process/validate.ts";
import { MAX_MS } from "../alarm.ts";
import { planListen, type ListenPlan } from "../listen/options.ts";
import { FIRST_FD, passSockets, type Passing } from "../listen/passing.ts";
import type { ProbeFunction, Reload, ServiceOptions } from "./options.ts";
import { resolveRestart } from "./restart-options.ts";
import type { RestartRules } from "./restart-decision.ts";

export const MAX_REPLICAS = 1024;

/** A command beside a replica, as checked. */
export interface CommandPlan {
  readonly file: string | URL;
  readonly args: readonly string[];
}

/** A probe, as checked. */
export interface ProbePlan {
  readonly check: ProbeFunction | CommandPlan;
  readonly interval: number;
  readonly timeout: number;
}

/** All about a service that does not change while it lives, but the number of replicas to begin with. */
export interface ServicePlan {
  readonly name: string;
  readonly file: string | URL;
  readonly args: readonly string[];
  /** Options of every replica's launch. */
  readonly launch: LaunchOptions;
  /** Those of the pool. */
  readonly defaults: LaunchOptions;
  readonly replicas: number;
  readonly listen: readonly ListenPlan[];
  readonly rules: RestartRules;
  /** "said": by READY=1 or by a newline. */
  readonly ready: "exec" | "said" | ProbePlan;
  readonly startTimeout: number;
  readonly health: (ProbePlan & { readonly threshold: number }) | undefined;
  readonly reload: number | ReloadFunction | CommandPlan | undefined;
}

type ReloadFunction = Extract<Reload, (...args: never) => unknown>;

/** Launch options that a service does not take, and why. */
const UNFIT: Readonly<Record<string, string>> = {
  check: "a service rejects nothing when a process ends; see restart.successCodes",
  encoding: "a service captures no output",
  maxOutput: "a service captures no output",
  outputGrace: "a service captures no output",
  killSignal: "a service has stopSignal",
  killAfter: "a service has stopTimeout",
  input: "it could be read by one process only; use stdio: [{ file }]",
  signal: "stop() ends a service",
};
const LAUNCH_KEYS = [...COMMON_OPTION_KEYS, "argv0", "stdio", "notify", "watchdog"].filter((key) => !(key in UNFIT));
const KEYS: ReadonlySet<string> = new Set([
  "name",
  "file",
  "args",
  "replicas",
  "listen",
  "restart",
  "ready",
  "startTimeout",
  "health",
  "stopSignal",
  "stopTimeout",
  "reload",
  ...LAUNCH_KEYS,
]);
const PROBE_KEYS = new Set(["probe", "command", "interval", "timeout"]);
const HEALTH_KEYS = new Set([...PROBE_KEYS, "threshold"]);
const COMMAND_KEYS = new Set(["file", "args"]);

/** @throws InvalidOptionError */
export function resolveService(options: unknown, defaults: LaunchOptions): ServicePlan {
  const taken = plain("options", snapshot("options", options));
  for (const [key, why] of Object.entries(UNFIT)) {
    const value = taken[key];
    if (value !== undefined) throw new InvalidOptionError(key, value, `leave it out: ${why}`);
  }
  const given = bag("options", taken, KEYS) as Record<string, unknown> & Partial<ServiceOptions>;
  const readiness = resolveReady(given.ready, given.notify);
  const plan: ServicePlan = {
    name: text("name", given.name, false),
    ...command("", { file: given.file, args: given.args }),
    launch: launchOptions(given, readiness.notify, defaults),
    defaults,
    replicas: integer("replicas", given.replicas ?? 1, 1, MAX_REPLICAS),
    listen: planListen(given.listen ?? []),
    rules: resolveRestart(given.restart),
    ready: readiness.ready,
    startTimeout: milliseconds("startTimeout", given.startTimeout ?? 90_000, 1),
    health: resolveHealth(given.health),
    reload: resolveReload(given.reload),
  };
  checkPassing(plan);
  // What is wrong with a command is the service's fault, not that of the first probe.
  for (const probe of [plan.ready, plan.health]) {
    if (typeof probe === "object" && typeof probe.check === "object") commandSpec(plan, probe.check, 0, probe.timeout);
  }
  if (typeof plan.reload === "object") commandSpec(plan, plan.reload, 0, plan.startTimeout);
  return plan;
}

/** The launch of one replica, the same at every start. */
export function replicaSpec(plan: ServicePlan, index: number, passing?: Passing): LaunchSpec {
  const { file, args, launch, defaults } = plan;
  const variables = [replicaVariable(index), ...(passing?.variables ?? [])];
  const stdio = passing?.stdio ?? launch.stdio;
  const spec = resolveSpec("spawn", file, args, { ...launch, stdio }, defaults, variables);
  return Object.freeze({ ...spec, sweeps: true });
}

/** The launch of a command beside a replica. */
export function commandSpec(
  { launch, defaults }: ServicePlan,
  { file, args }: CommandPlan,
  index: number,
  timeout: number,
  pid?: number,
): LaunchSpec {
  const { notify: _notify, watchdog: _watchdog, argv0: _argv0, stderrTail: _tail, ...common } = launch;
  const variables = [replicaVariable(index), ...(pid === undefined ? [] : [{ name: "MAINPID", value: `${pid}` }])];
  const options = { ...common, stdio: "ignore", timeout, killSignal: "SIGKILL" };
  return resolveSpec("spawn", file, args, options, defaults, variables);
}

function replicaVariable(index: number): Variable {
  return { name: "PIDPOOL_REPLICA", value: `${index}` };
}

/** The fds of sockets are free in the child, whichever numbers the sockets will have here. */
function checkPassing({ listen, launch: { stdio, notify } }: ServicePlan): void {
  if (listen.length === 0) return;
  passSockets(
    listen.map(({ name }) => ({ name, fd: 0 })),
    stdio,
  );
  const last = FIRST_FD + listen.length - 1;
  if (typeof notify === "object" && notify.fd <= last) {
    throw new InvalidOptionError("notify.fd", notify.fd, `listen uses the fds up to ${last}; take one above`);
  }
}

function launchOptions(
  given: Record<string, unknown> & Partial<ServiceOptions>,
  notify: LaunchOptions["notify"],
  defaults: LaunchOptions,
): LaunchOptions {
  const launch: Record<string, unknown> = bare({});
  for (const key of LAUNCH_KEYS) if (given[key] !== undefined) launch[key] = given[key];
  const { stopSignal, stopTimeout, stdio = ["ignore", "inherit", "inherit"] } = given;
  launch["stdio"] = checkStdio(stdio);
  if (stopSignal !== undefined) launch["killSignal"] = signalNumber("stopSignal", stopSignal);
  if (stopTimeout !== undefined) launch["killAfter"] = milliseconds("stopTimeout", stopTimeout, 0);
  // Each replica leads a session, so that all it has started goes when it does.
  launch["session"] ??= defaults.session ?? true;
  // With the pool's as with its own: the environment of this moment, whenever a replica is added.
  launch["env"] = copyEnv(launch["env"] ?? defaults.env ?? process.env);
  if ((given.watchdog ?? 0) !== 0) launch["notify"] = notify ?? true;
  else if (notify !== undefined && notify !== false) launch["notify"] = notify;
  return Object.freeze(launch);
}

/** Three entries at least, so that none has the default of spawn(). */
function checkStdio(stdio: unknown): unknown {
  if (!Array.isArray(stdio)) {
    checkEntry("stdio", stdio);
    return stdio;
  }
  const entries = Array.from(stdio as readonly unknown[]);
  for (const [i, entry] of entries.entries()) checkEntry(`stdio[${i}]`, entry);
  const standard = ["ignore", "inherit", "inherit"].map((usual, i) => entries[i] ?? usual);
  return [...standard, ...entries.slice(3)];
}

function checkEntry(name: string, entry: unknown): void {
  if (entry !== "pipe" && entry !== "capture") return;
  const allowed =
    'a service has no streams, as who reads them would change with every restart; use "inherit" or { file }';
  throw new InvalidOptionError(name, entry, allowed);
}

function resolveReady(
  ready: unknown,
  notify: LaunchOptions["notify"],
): { ready: ServicePlan["ready"]; notify: LaunchOptions["notify"] } {
  if (ready === undefined) return { ready: notify === true ? "said" : "exec", notify };
  if (ready === "exec") return { ready, notify };
  if (ready === "notify") return { ready: "said", notify: agree(notify, true) };
  if (!isObject(ready)) {
    throw new InvalidOptionError("ready", ready, 'it must be "exec", "notify", { fd }, { probe } or { command }');
  }
  if (!("fd" in ready)) return { ready: resolveProbe("ready", bag("ready", ready, PROBE_KEYS), 200), notify };
  const { fd } = bag("ready", ready, new Set(["fd"]));
  return { ready: "said", notify: agree(notify, { fd: integer("ready.fd", fd, 3, 255) }) };
}

function agree(notify: LaunchOptions["notify"], needed: LaunchOptions["notify"]): LaunchOptions["notify"] {
  if (notify === undefined || channel(notify) === channel(needed)) return needed;
  throw new InvalidOptionError("notify", notify, "leave it out: it must be what ready says");
}

function channel(notify: LaunchOptions["notify"]): unknown {
  return typeof notify === "object" ? notify.fd : notify;
}

function resolveProbe(name: string, given: Record<string, unknown>, interval: number): ProbePlan {
  const { probe, command: program } = given;
  if ((probe === undefined) === (program === undefined)) {
    throw new InvalidOptionError(name, given, "it must have either probe or command");
  }
  if (probe !== undefined && typeof probe !== "function") {
    throw new InvalidOptionError(`${name}.probe`, probe, "it must be a function");
  }
  return {
    check: probe === undefined ? command(`${name}.command`, program) : (probe as ProbeFunction),
    interval: milliseconds(`${name}.interval`, given["interval"] ?? interval, 1),
    timeout: milliseconds(`${name}.timeout`, given["timeout"] ?? 5000, 1),
  };
}

function resolveHealth(health: unknown): ServicePlan["health"] {
  if (health === undefined) return undefined;
  const given = bag("health", health, HEALTH_KEYS);
  const threshold = integer("health.threshold", given["threshold"] ?? 3, 1, 1000);
  return { ...resolveProbe("health", given, 10_000), threshold };
}

function resolveReload(reload: unknown): ServicePlan["reload"] {
  if (reload === undefined) return undefined;
  if (typeof reload === "function") return reload as ReloadFunction;
  if (isObject(reload)) return command("reload", reload);
  return signalNumber("reload", reload);
}

/** `option`: "" for the service's own. */
function command(option: string, value: unknown): CommandPlan {
  const { file, args = [] } = bag(option === "" ? "options" : option, value, COMMAND_KEYS);
  const prefix = option === "" ? "" : `${option}.`;
  path(`${prefix}file`, file);
  const checked = list(`${prefix}args`, args, "strings", text);
  return { file: file as string | URL, args: Object.freeze(checked) };
}

function milliseconds(name: string, value: unknown, min: number): number {
  return amount(name, value, min, MAX_MS, "milliseconds");
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
