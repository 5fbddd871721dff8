// Where each fd of a child leads: the stdio option, checked and resolved.
import { resolve } from "node:path";
import { InvalidOptionError } from "../errors.ts";
import { CAPTURE } from "../native/layout.ts";
import { fdFlags } from "../native/syscalls.ts";
import { isPlain } from "./snapshot.ts";
import { bag, path } from "./validate.ts";

/**
 * One fd of the child. `input` is a pipe that the pool itself feeds, `notify` one that its supervisor reads, `tail` one
 * whose end it keeps; see stderr-tail.ts.
 */
export type FdPlan =
  | { readonly target: number; readonly kind: "tail"; readonly passTo: number }
  | { readonly target: number; readonly kind: "ignore" | "pipe" | "capture" | "input" | "notify" }
  | { readonly target: number; readonly kind: "fd"; readonly fd: number }
  | { readonly target: number; readonly kind: "file"; readonly path: string; readonly flags: number };

/** What the caller can do with the child's streams. */
export type LaunchKind = "run" | "spawn";

const MAX_FD = 255;
const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const O_NOCTTY = 0o400;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;
/** Mode of files that a child's output creates; the umask takes from it. */
export const CREATE_MODE = 0o666;

const FILE_KEYS = new Set(["file", "append", "read"]);

/** Thousands of specs may live at once, and most have these. */
const IGNORED: readonly FdPlan[] = [0, 1, 2].map((target) => Object.freeze({ target, kind: "ignore" }));

/** Resolves `stdio` and `input` together, and the notification fd, if there is one; the targets ascend. */
export function planStdio(
  kind: LaunchKind,
  stdio: unknown,
  input: unknown,
  cwd: string | undefined,
  notifyFd = -1,
): FdPlan[] {
  const entries = list(kind, stdio);
  const plans: FdPlan[] = [];
  for (let target = 0; target < Math.max(3, entries.length, notifyFd + 1); target++) {
    const given = entries[target] ?? undefined;
    if (target === notifyFd) {
      if (given !== undefined) throw new InvalidOptionError("notify.fd", notifyFd, "stdio has an entry for this fd");
      plans.push({ target, kind: "notify" });
      continue;
    }
    if (target === 0 && input !== undefined) {
      plans.push(inputPlan(input, given, stdio, cwd));
      continue;
    }
    const entry = given ?? (target < 3 ? defaultEntry(kind, target) : undefined);
    if (entry !== undefined) plans.push(planOne(kind, target, entry, cwd));
  }
  checkShared(plans);
  const captured = plans.filter((plan) => plan.kind === "capture").length;
  if (captured > CAPTURE.MAX) {
    throw new InvalidOptionError("stdio", stdio, `at most ${CAPTURE.MAX} fds can be captured, not ${captured}`);
  }
  return plans;
}

function list(kind: LaunchKind, stdio: unknown): readonly unknown[] {
  if (stdio === undefined) return [];
  if (typeof stdio === "string") {
    const stdin = stdio === "capture" ? defaultEntry(kind, 0) : stdio;
    return [stdin, stdio, stdio];
  }
  if (!Array.isArray(stdio)) {
    throw new InvalidOptionError(
      "stdio",
      stdio,
      'it must be "ignore", "inherit", "pipe", "capture" or a list by fd number',
    );
  }
  if (stdio.length > MAX_FD + 1) {
    throw new InvalidOptionError("stdio", stdio, `it must not be longer than ${MAX_FD + 1}`);
  }
  return stdio;
}

function defaultEntry(kind: LaunchKind, target: number): string {
  if (kind === "spawn") return "pipe";
  return target === 0 ? "ignore" : "capture";
}

function inputPlan(input: unknown, given: unknown, stdio: unknown, cwd: string | undefined): FdPlan {
  // A word for all of stdio ("capture", "inherit") does not speak of stdin in particular.
  if (given !== undefined && given !== "pipe" && Array.isArray(stdio)) {
    throw new InvalidOptionError("stdio[0]", given, 'with the option input it must be left out or "pipe"');
  }
  if (isFile(input)) {
    return { target: 0, kind: "file", path: resolve(cwd ?? ".", path("input.file", input.file)), flags: O_NOCTTY };
  }
  return { target: 0, kind: "input" };
}

/** Whether it is `{ file }`, not a stream that happens to have such a property. */
export function isFile(value: unknown): value is { file: unknown } {
  return typeof value === "object" && value !== null && isPlain(value) && Object.hasOwn(value, "file");
}

function planOne(kind: LaunchKind, target: number, entry: unknown, cwd: string | undefined): FdPlan {
  const name = `stdio[${target}]`;
  switch (entry) {
    case "ignore":
      return IGNORED[target] ?? { target, kind: entry };
    case "inherit":
      return openFd(name, target, target);
    case "pipe":
      if (kind === "run") {
        throw new InvalidOptionError(name, entry, 'run() gives no streams; use "capture", or spawn()');
      }
      return { target, kind: entry };
    case "capture":
      if (target === 0)
        throw new InvalidOptionError(name, entry, "stdin cannot be captured; the option input feeds it");
      return { target, kind: entry };
  }
  if (typeof entry === "number") {
    if (!Number.isInteger(entry) || entry < 0 || entry > 0x7fffffff) {
      throw new InvalidOptionError(name, entry, "an fd must be a whole number from 0 up");
    }
    return openFd(name, target, entry);
  }
  if (isFile(entry)) {
    const { file, append = false, read = target === 0 } = bag(name, entry, FILE_KEYS);
    if (typeof append !== "boolean") throw new InvalidOptionError(`${name}.append`, append, "it must be true or false");
    if (typeof read !== "boolean") throw new InvalidOptionError(`${name}.read`, read, "it must be true or false");
    if (append && read)
      throw new InvalidOptionError(`${name}.append`, append, "a file that is read cannot be appended to");
    const flags = read ? 0 : O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);
    return { target, kind: "file", path: resolve(cwd ?? ".", path(`${name}.file`, file)), flags: flags | O_NOCTTY };
  }
  throw new InvalidOptionError(name, entry, 'it must be "ignore", "inherit", "pipe", "capture", an fd or { file }');
}

function openFd(name: string, target: number, fd: number): FdPlan {
  if (fdFlags(fd) < 0) throw new InvalidOptionError(name, fd, `the fd ${fd} is not open in this process`);
  return { target, kind: "fd", fd };
}

/** The standard streams may share an fd (2>&1, an inetd socket); twice beyond them is a mistake. */
function checkShared(plans: readonly FdPlan[]): void {
  const seen = new Set<number>();
  for (const plan of plans) {
    if (plan.kind !== "fd") continue;
    if (plan.target > 2 && seen.has(plan.fd)) {
      throw new InvalidOptionError(`stdio[${plan.target}]`, plan.fd, "this fd is given to the child more than once");
    }
    seen.add(plan.fd);
  }
}
