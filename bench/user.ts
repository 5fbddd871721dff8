// Who runs a measured process.
import { readFileSync } from "node:fs";

/** Options of node:child_process; empty for whoever runs the benchmark. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** nobody's, by convention. */
const NOBODY = 65534;
const CAP_SYS_ADMIN = 21n;

/** Somebody without any privilege, or undefined where this process cannot become another. */
export function ordinaryUser(): User | undefined {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;
}

/** Whether this process has the capability that namespaces ask for. */
export function isPrivileged(): boolean {
  const [, mask = "0"] = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return ((BigInt(`0x${mask}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}
