// What a filter can answer: the values of SECCOMP_RET_* (seccomp(2)).
import { errnoNumber } from "../../native/errno.ts";

/** A filter's return value, an unsigned 32-bit number. */
export type Verdict = number;

export const KILL_PROCESS: Verdict = 0x80000000;
export const LOG: Verdict = 0x7ffc0000;
export const ALLOW: Verdict = 0x7fff0000;
const ERRNO = 0x00050000;

/** The system call fails with this errno and does nothing. */
export function refuse(errno: string): Verdict {
  return ERRNO | errnoNumber(errno);
}
