// What a filter is to do, before it is a program: rules by system call, of
// which the last that fits decides.
import { bare } from "../bare.ts";
import type { Verdict } from "./verdict.ts";

/**
 * A test of one argument. It sees the lower 32 bits alone: every argument that is tested here is an int in the
 * kernel, which drops the upper half. A filter that looked at them would let `ioctl(fd, 1 << 32 | TIOCSTI)` pass.
 */
export type ArgumentTest =
  | { readonly argument: number; readonly is: "oneOf" | "noneOf"; readonly values: readonly number[] }
  | { readonly argument: number; readonly has: "anyBit" | "noBit"; readonly bits: number };

/** A verdict on some system calls; with `when`, only on calls for which all the tests hold. */
export interface Rule {
  readonly syscalls: readonly string[];
  readonly verdict: Verdict;
  readonly when?: readonly ArgumentTest[];
}

/** Everything about a filter that does not depend on the architecture. */
export interface Policy {
  readonly rules: readonly Rule[];
  /** On system calls that no rule fits. */
  readonly otherwise: Verdict;
  /** On numbers that no table here has: those of a kernel newer than the tables. */
  readonly unknown: Verdict;
}

/** The verdicts on one system call, in the order in which they are tried; the last has no `when`. */
export type Decision = readonly Pick<Rule, "verdict" | "when">[];

/** Names that a text lists with spaces or line breaks between them. */
export function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** How a policy decides about a system call. */
export function decide(policy: Policy, syscall: string): Decision {
  const decision: Pick<Rule, "verdict" | "when">[] = [];
  for (const { syscalls, verdict, when } of policy.rules.map(bare).toReversed()) {
    if (!syscalls.includes(syscall)) continue;
    if (when === undefined) return [...decision, bare({ verdict })];
    decision.push(bare({ verdict, when }));
  }
  return [...decision, bare({ verdict: policy.otherwise })];
}
