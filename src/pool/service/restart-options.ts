// The option `restart` of a service: defaults and checks.
import { InvalidOptionError } from "../../errors.ts";
import { signalName, signalNumber } from "../../process/signals.ts";
import { amount, bag, integer, oneOf } from "../../process/validate.ts";
import type { RestartPolicy, RestartRules } from "./restart-decision.ts";
import type { StatusSet } from "./result.ts";

const POLICIES: readonly RestartPolicy[] = [
  "no",
  "always",
  "on-success",
  "on-failure",
  "on-abnormal",
  "on-abort",
  "on-watchdog",
];
const KEYS = new Set(["policy", "successCodes", "preventRestart", "forceRestart", "backoff", "startLimit"]);
const BACKOFF_KEYS = new Set(["initial", "factor", "max", "jitter", "resetAfter"]);
const LIMIT_KEYS = new Set(["burst", "interval", "action"]);
/** setTimeout's bound: 2^31 - 1 ms, 24.8 days. */
const MAX_MS = 0x7fffffff;
const MAX_BURST = 1000;

/** @throws InvalidOptionError */
export function resolveRestart(option: unknown): RestartRules {
  const given = typeof option === "string" ? { policy: option } : bag("restart", option, KEYS);
  const name = typeof option === "string" ? "restart" : "restart.policy";
  return {
    policy: oneOf(name, given["policy"] ?? "on-failure", POLICIES),
    success: statusSet("restart.successCodes", given["successCodes"]),
    prevent: statusSet("restart.preventRestart", given["preventRestart"]),
    force: statusSet("restart.forceRestart", given["forceRestart"]),
    backoff: backoff(bag("restart.backoff", given["backoff"], BACKOFF_KEYS)),
    startLimit: startLimit(bag("restart.startLimit", given["startLimit"], LIMIT_KEYS)),
  };
}

function backoff(given: Record<string, unknown>): RestartRules["backoff"] {
  const initial = finite("restart.backoff.initial", given["initial"] ?? 100, 0, MAX_MS);
  return {
    initial,
    factor: finite("restart.backoff.factor", given["factor"] ?? 2, 1, 1000),
    max: finite("restart.backoff.max", given["max"] ?? Math.max(30_000, initial), initial, MAX_MS),
    jitter: finite("restart.backoff.jitter", given["jitter"] ?? 0.2, 0, 1),
    resetAfter: amount("restart.backoff.resetAfter", given["resetAfter"] ?? 10_000, 0, MAX_MS, "milliseconds"),
  };
}

function startLimit(given: Record<string, unknown>): RestartRules["startLimit"] {
  const burst = given["burst"] ?? 5;
  return {
    burst: burst === Infinity ? Infinity : integer("restart.startLimit.burst", burst, 1, MAX_BURST),
    interval: amount("restart.startLimit.interval", given["interval"] ?? 10_000, 0, MAX_MS, "milliseconds"),
    action: oneOf("restart.startLimit.action", given["action"] ?? "give-up", ["give-up", "escalate"]),
  };
}

function finite(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number" || !(value >= min && value <= max)) {
    throw new InvalidOptionError(name, value, `it must be a number from ${min} to ${max}`);
  }
  return value;
}

function statusSet(name: string, value: unknown): StatusSet {
  if (value !== undefined && !Array.isArray(value)) {
    throw new InvalidOptionError(name, value, "it must be a list of exit codes and signals' names");
  }
  const codes = new Set<number>();
  const signals = new Set<string>();
  for (const [i, status] of ((value as unknown[] | undefined) ?? []).entries()) {
    // By way of the number, so that aliases (SIGIOT) are as good as the usual names.
    if (typeof status === "string") signals.add(signalName(signalNumber(`${name}[${i}]`, status)));
    else codes.add(integer(`${name}[${i}]`, status, 0, 255));
  }
  return { codes, signals };
}
