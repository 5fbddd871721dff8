// The option seccomp becomes the filter that a launch installs.
import { compile } from "./compile.ts";
import type { Arch } from "./numbers.ts";
import { planSeccomp, policyOf } from "./options.ts";

/** Compiled filters by architecture and plan. A filter that is a pool's default is resolved at every launch. */
const compiled = new Map<string, Uint8Array>();
const MAX_COMPILED = 32;

/**
 * The filter of a value of the option `seccomp`: an array of `struct sock_filter` for seccomp(2), eight bytes each.
 * Equal options share the array, so nobody may write to it. Filters exist since Linux 3.5; all actions that are used
 * here since 4.14.
 *
 * @throws InvalidOptionError naming what is wrong with the option.
 */
export function compileSeccomp(option: unknown, arch: Arch): Uint8Array {
  const plan = planSeccomp(option);
  const key = JSON.stringify([arch, plan]);
  let filter = compiled.get(key);
  if (filter === undefined) {
    filter = compile(policyOf(plan), arch);
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(key, filter);
  }
  return filter;
}
