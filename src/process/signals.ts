// Signal names and numbers.
import { constants } from "node:os";
import { InvalidOptionError } from "../errors.ts";

const numbers = new Map<string, number>(Object.entries(constants.signals));
const names = new Map<number, NodeJS.Signals>();
// Aliases share a number; the first name is the usual one (SIGABRT before SIGIOT).
for (const [name, number] of numbers) if (!names.has(number)) names.set(number, name as NodeJS.Signals);

export const SIGABRT = 6;
export const SIGKILL = 9;
export const SIGSTOP = 19;

/** The number of a signal given by name or number. `allowZero`: signal 0 only asks whether the target exists. */
export function signalNumber(option: string, value: unknown, allowZero = false): number {
  if (typeof value === "string") {
    const number = numbers.get(value);
    if (number !== undefined) return number;
  } else if (typeof value === "number" && Number.isInteger(value) && value >= (allowZero ? 0 : 1) && value <= 64) {
    // Not -0.
    return value + 0;
  }
  throw new InvalidOptionError(
    option,
    value,
    'it must be a signal\'s name such as "SIGTERM", or a number from 1 to 64',
  );
}

/** A signal's name; real-time signals are named by their distance from 34, as bash's `kill -l` does. */
export function signalName(number: number): string {
  return names.get(number) ?? (number >= 34 ? `SIGRTMIN+${number - 34}` : `SIG${number}`);
}

/** SIGCHLD, SIGCONT, the four that stop, SIGURG and SIGWINCH do not end a process. */
const HARMLESS: ReadonlySet<number> = new Set([0, 17, 18, 19, 20, 21, 22, 23, 28]);

/** Whether a signal ends a process that has no handler for it. signal(7). */
export function endsByDefault(signal: number): boolean {
  return !HARMLESS.has(signal);
}
