// The option `restart` of a service: defaults and checks.
import { signalName, signalNumber } from "../../process/signals.ts";
import { bag, integer, list, oneOf } from "../../process/validate.ts";
import { resolveBackoff, resolveStartLimit } from "../pace.ts";
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
const LIMIT_KEYS = new Set(["burst", "interval", "action"]);

/** @throws InvalidOptionError */
export function resolveRestart(option: unknown): RestartRules {
  const given = typeof option === "string" ? { policy: option } : bag("restart", option, KEYS);
  const name = typeof option === "string" ? "restart" : "restart.policy";
  return {
    policy: oneOf(name, given["policy"] ?? "on-failure", POLICIES),
    success: statusSet("restart.successCodes", given["successCodes"]),
    prevent: statusSet("restart.preventRestart", given["preventRestart"]),
    force: statusSet("restart.forceRestart", given["forceRestart"]),
    backoff: resolveBackoff("restart.backoff", given["backoff"], 0),
    startLimit: startLimit(bag("restart.startLimit", given["startLimit"], LIMIT_KEYS)),
  };
}

function startLimit(given: Record<string, unknown>): RestartRules["startLimit"] {
  return {
    ...resolveStartLimit("restart.startLimit", given),
    action: oneOf("restart.startLimit.action", given["action"] ?? "give-up", ["give-up", "escalate"]),
  };
}

function statusSet(name: string, value: unknown): StatusSet {
  const codes = new Set<number>();
  const signals = new Set<string>();
  list(name, value ?? [], "exit codes and signals' names", (option, status) => {
    // By way of the number, so that aliases (SIGIOT) are as good as the usual names.
    if (typeof status === "string") signals.add(signalName(signalNumber(option, status)));
    else codes.add(integer(option, status, 0, 255));
  });
  return { codes, signals };
}
