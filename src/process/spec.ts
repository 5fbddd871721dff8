// Options resolve here once, in one pass, into a frozen LaunchSpec: defaults
// are in this file, checks beside each feature. A spec starts nothing.
import { constants } from "node:buffer";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { types } from "node:util";
import { InvalidOptionError } from "../errors.ts";
import { SPEC_FLAG } from "../native/layout.ts";
import { bare } from "./bare.ts";
import type { CgroupPlan } from "./cgroup-limits.ts";
import { confine } from "./confine.ts";
import { encodeSpec, variableAt } from "./encode.ts";
import { givenEnv, inheritedEnv, withVariables, type Variable } from "./env.ts";
import type { IsolationPlan } from "./isolation.ts";
import { planNotify, SOCKET_VARIABLE, type NotifyPlan } from "./notify.ts";
import { ownDirectory, ownUmask } from "./own-state.ts";
import type { Landlock } from "./landlock.ts";
import type { Rlimit } from "./limits.ts";
import type { Encoding, LaunchOptions } from "./options.ts";
import { SIGKILL, signalNumber } from "./signals.ts";
import { planStderrTail } from "./stderr-tail.ts";
import { planStdio, type FdPlan, type LaunchKind } from "./stdio.ts";
import { attempt, isInstance, snapshot } from "./snapshot.ts";
import { amount, bag, integer, list, oneOf, path, text } from "./validate.ts";

/** What the child is fed by the pool: bytes, or a stream to pump. */
export type InputSource = { readonly bytes: Uint8Array } | { readonly stream: Readable };
/** Its stdin stays open, for input that comes later. */
export const LATER: { readonly later: true } = Object.freeze(bare({ later: true } as const));

/** Everything about a launch that does not depend on when or where it happens. */
export interface LaunchSpec {
  readonly kind: LaunchKind;
  readonly file: string;
  readonly args: readonly string[];
  /** `struct pp_spec`; the fd table's sources are filled in at the launch. */
  readonly block: Uint8Array;
  readonly fds: readonly FdPlan[];
  /** Each launch needs pipes of its own. */
  readonly piped: boolean;
  readonly isolation: IsolationPlan;
  readonly cwd: string | undefined;
  readonly path: string | undefined;
  /** The child leads a process group. */
  readonly leader: boolean;
  /** However it ends, what is left of that group is killed. */
  readonly sweeps: boolean;
  readonly limits: readonly Rlimit[];
  readonly landlock: Landlock | undefined;
  readonly cgroup: CgroupPlan | undefined;
  readonly timeout: number;
  readonly killSignal: number;
  readonly killAfter: number;
  readonly maxOutput: number;
  readonly outputGrace: number;
  /** Bytes of the end of stderr to keep. */
  readonly stderrTail: number;
  readonly encoding: Encoding;
  readonly check: boolean;
  readonly input: InputSource | typeof LATER | undefined;
  readonly signal: AbortSignal | undefined;
  readonly notify: NotifyPlan | undefined;
}

/** Options of every child that leave the encoded block of a spec as it is. */
const LIGHT_COMMON_KEYS = [
  "timeout",
  "killSignal",
  "killAfter",
  "maxOutput",
  "outputGrace",
  "encoding",
  "check",
] as const;

/** The options that a pool takes as defaults. */
export const COMMON_OPTION_KEYS: ReadonlySet<string> = new Set([
  "cwd",
  "env",
  ...LIGHT_COMMON_KEYS,
  "stderrTail",
  "isolation",
  "seccomp",
  "limits",
  "cgroup",
  "filesystem",
  "tcp",
  "uid",
  "gid",
  "groups",
  "umask",
  "nice",
  "session",
  "orphans",
]);
const OPTION_KEYS: ReadonlySet<string> = new Set([
  ...COMMON_OPTION_KEYS,
  "argv0",
  "input",
  "stdio",
  "signal",
  "notify",
  "watchdog",
]);
const LIGHT_KEYS: ReadonlySet<string> = new Set([...LIGHT_COMMON_KEYS, "signal"]);

/** Fds that lead to this process. */
const NEEDS_PIPE: ReadonlySet<string> = new Set(["pipe", "capture", "input", "tail"]);

const MAX_ID = 0xfffffffe;
/** setTimeout's and epoll's bound: 2^31 - 1 ms, 24.8 days. */
const MAX_MS = 0x7fffffff;
const MAX_OUTPUT = 128 * 1024 * 1024;
/** A captured stream is one ArrayBuffer, or one string; "hex" makes two characters of a byte. */
const LARGEST_OUTPUT = 2 ** 32;
const LARGEST_TEXT = Math.floor(constants.MAX_STRING_LENGTH / 2);
/** What execvp(3) searches where PATH is unset. */
const DEFAULT_PATH = "/bin:/usr/bin";

/**
 * Options of a launch, read once. Their keys are checked, and nothing else.
 *
 * @throws InvalidOptionError
 */
export function launchOptions(options: unknown): Record<string, unknown> {
  return bag("options", snapshot("options", options), OPTION_KEYS);
}

/**
 * Checks and resolves the options of a launch.
 *
 * @param variables What the pool adds to the child's environment.
 * @throws InvalidOptionError naming the option, its value and what is allowed.
 * @throws IsolationError where this machine cannot confine the child as asked.
 */
export function resolveSpec(
  kind: LaunchKind,
  file: unknown,
  args: unknown,
  options: unknown,
  defaults: LaunchOptions = {},
  variables: readonly Variable[] = [],
): LaunchSpec {
  const program = path("file", file);
  const argv = checkArgs(args);
  const given = launchOptions(options);
  const o = withDefaults(given, defaults);
  const directory = o.cwd === undefined ? undefined : resolve(path("cwd", o.cwd));
  const confined = confine(o, directory);
  const { confinement, isolation, limits, landlock, cgroup } = confined;
  const cwd = directory ?? ownDirectory(isolation);
  const notify = planNotify(o as Parameters<typeof planNotify>[0], confined);
  const added = notify === undefined ? variables : [...variables, ...notify.variables];
  const env = withVariables(o.env === undefined ? inheritedEnv() : givenEnv(o.env), added);
  const { fds, stderrTail } = planStderrTail(
    planStdio(kind, o.stdio, o.input, cwd, notify?.fd),
    o.stderrTail,
    given["stderrTail"] !== undefined,
  );
  // From another pid namespace, a group that is shared with processes outside is the one way to signal them.
  const session = oneOf("session", o.session ?? isolation.pid, [false, true, "group"]);
  const orphans = oneOf("orphans", o.orphans ?? "kill", ["kill", "keep"]);
  if (orphans === "keep" && isolation.pid) {
    throw new InvalidOptionError(
      "orphans",
      orphans,
      'nothing in a pid namespace outlives it: use isolation.pid: "host" or leave out orphans: "keep"',
    );
  }
  const ids = credentials(o);
  let flags = ids.flags;
  if (session === true) flags |= SPEC_FLAG.setsid;
  if (session === "group") flags |= SPEC_FLAG.setpgid;
  if (orphans === "kill") flags |= SPEC_FLAG.pdeathsig;
  const umask = o.umask === undefined ? ownUmask(isolation) : integer("umask", o.umask, 0, 0o777);
  if (umask !== undefined) flags |= SPEC_FLAG.umask;
  if (o.nice !== undefined) flags |= SPEC_FLAG.nice;
  const light = lightOptions(o);
  const block = encodeSpec({
    candidates: candidates(program, env.path),
    argv: [o.argv0 === undefined ? program : text("argv0", o.argv0), ...argv],
    env,
    cwd,
    fds,
    ...ids,
    flags,
    umask: umask ?? 0,
    nice: o.nice === undefined ? 0 : integer("nice", o.nice, -20, 19),
    pdeathsig: orphans === "kill" ? SIGKILL : 0,
    confinement,
  });
  if (isolation.maps) requireMemory(cgroup, block.length);
  return Object.freeze({
    kind,
    file: program,
    args: argv,
    block,
    fds,
    piped: notify !== undefined || fds.some(({ kind: led }) => NEEDS_PIPE.has(led)),
    stderrTail,
    isolation,
    cwd,
    path: env.path,
    leader: session !== false,
    sweeps: false,
    limits,
    landlock,
    cgroup,
    notify:
      notify &&
      (notify.fd === undefined ? { ...notify.plan, socketAt: variableAt(block, SOCKET_VARIABLE) } : notify.plan),
    ...light,
    // Last: it locks a web stream, which no other wrong option should leave behind.
    input: inputSource(o.input),
  });
}

/**
 * The same launch with some options changed. Where only light options change, the encoded block is shared.
 *
 * @throws InvalidOptionError
 */
export function overrideSpec(
  spec: LaunchSpec,
  base: LaunchOptions,
  overrides: unknown,
  defaults: LaunchOptions,
): LaunchSpec {
  const given = launchOptions(overrides);
  const keys = Object.keys(given).filter((key) => given[key] !== undefined);
  const merged: LaunchOptions = withDefaults(given, base);
  if (keys.every((key) => LIGHT_KEYS.has(key))) {
    if (keys.length === 0) return spec;
    return Object.freeze({ ...spec, ...lightOptions(withDefaults({ ...merged }, defaults)) });
  }
  // New bytes for a stdin that was a pool-fed pipe before change nothing in the block either.
  if (spec.input !== undefined && keys.every((key) => LIGHT_KEYS.has(key) || key === "input")) {
    const { notify } = merged;
    const notifyFd = typeof notify === "object" ? notify.fd : undefined;
    const fds = planStdio(spec.kind, merged.stdio, merged.input, spec.cwd, notifyFd);
    if (fds[0]?.kind === "input") {
      return Object.freeze({
        ...spec,
        ...lightOptions(withDefaults({ ...merged }, defaults)),
        input: inputSource(merged.input),
      });
    }
  }
  return resolveSpec(spec.kind, spec.file, spec.args, merged, defaults);
}

/** What the kernel allows arguments and environment to take, twice, and what else a program needs to begin. */
const MEMORY_TO_BEGIN = 16 * 1024 * 1024;

/**
 * A child between clone and exec shares this process's memory. Where its group has none left for the new
 * program, the kernel kills all who share it; it spares a vfork, which one whose ids we map cannot be.
 */
function requireMemory(plan: CgroupPlan | undefined, blockLength: number): void {
  const memory = plan?.settings.find(({ file }) => file === "memory.max")?.value;
  const least = MEMORY_TO_BEGIN + 2 * blockLength;
  if (memory === undefined || Number(memory) >= least) return;
  throw new InvalidOptionError(
    "limits.memory",
    Number(memory),
    `with a user namespace of the child's own and these arguments it must be at least ${least}`,
  );
}

function withDefaults(options: Record<string, unknown>, defaults: LaunchOptions): Record<string, unknown> {
  const merged = Object.assign(Object.create(null) as Record<string, unknown>, defaults);
  for (const [key, value] of Object.entries(options)) if (value !== undefined) merged[key] = value;
  return merged;
}

function lightOptions(
  o: Record<string, unknown>,
): Pick<
  LaunchSpec,
  "timeout" | "killSignal" | "killAfter" | "maxOutput" | "outputGrace" | "encoding" | "check" | "signal"
> {
  const timeout = amount("timeout", o["timeout"] ?? 0, 0, MAX_MS, "milliseconds");
  const killAfter = amount("killAfter", o["killAfter"] ?? 5000, 0, MAX_MS, "milliseconds");
  const signal = o["signal"];
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new InvalidOptionError("signal", signal, "it must be an AbortSignal");
  }
  const encoding = o["encoding"] ?? "utf8";
  if (encoding !== "buffer" && (typeof encoding !== "string" || !Buffer.isEncoding(encoding))) {
    throw new InvalidOptionError(
      "encoding",
      encoding,
      'it must be "buffer" or an encoding that Buffer knows, such as "utf8"',
    );
  }
  return {
    timeout: timeout === Infinity ? 0 : Math.ceil(timeout),
    killSignal: signalNumber("killSignal", o["killSignal"] ?? "SIGTERM"),
    killAfter: killAfter === Infinity ? -1 : Math.ceil(killAfter),
    maxOutput: Math.min(
      amount("maxOutput", o["maxOutput"] ?? MAX_OUTPUT, 0, LARGEST_OUTPUT, "bytes"),
      encoding === "buffer" ? LARGEST_OUTPUT : LARGEST_TEXT,
    ),
    outputGrace: Math.ceil(integerOrMs("outputGrace", o["outputGrace"] ?? 500)),
    encoding,
    check: oneOf("check", o["check"] ?? true, [true, false]),
    signal,
  };
}

/** Not one that only inherits from it. */
function isAbortSignal(value: unknown): value is AbortSignal {
  try {
    return isInstance(value, AbortSignal) && typeof value.aborted === "boolean";
  } catch {
    return false;
  }
}

function integerOrMs(name: string, value: unknown): number {
  const ms = amount(name, value, 0, MAX_MS, "milliseconds");
  return ms === Infinity ? MAX_MS : ms;
}

const NO_ARGS: readonly string[] = Object.freeze([]);

function checkArgs(args: unknown): readonly string[] {
  if (args === undefined) return NO_ARGS;
  const checked = list("args", args, "strings", text);
  return checked.length === 0 ? NO_ARGS : Object.freeze(checked);
}

function credentials(o: Record<string, unknown>): {
  flags: number;
  uid: number;
  gid: number;
  groups: readonly number[];
} {
  const { uid, gid, groups } = o;
  let flags = 0;
  if (uid !== undefined) flags |= SPEC_FLAG.setuid;
  if (gid !== undefined) flags |= SPEC_FLAG.setgid;
  if (uid !== undefined || gid !== undefined || groups !== undefined) flags |= SPEC_FLAG.setgroups;
  return {
    flags,
    uid: uid === undefined ? 0 : integer("uid", uid, 0, MAX_ID),
    gid: gid === undefined ? 0 : integer("gid", gid, 0, MAX_ID),
    groups: list("groups", groups ?? [], "group ids", (name, id) => integer(name, id, 0, MAX_ID)),
  };
}

/** The files that execvp(3) would try, with the child's PATH. */
export function candidates(file: string, searched: string | undefined): string[] {
  if (file.includes("/")) return [file];
  return (searched ?? DEFAULT_PATH).split(":").map((dir) => (dir === "" ? `./${file}` : `${dir}/${file}`));
}

function inputSource(input: unknown): InputSource | undefined {
  if (input === undefined) return undefined;
  if (typeof input === "string") return bare({ bytes: Buffer.from(input, "utf8") });
  if (ArrayBuffer.isView(input)) {
    const { buffer, byteOffset, byteLength } = input;
    // Of memory that was transferred away there is no view.
    return attempt("input", () => bare({ bytes: new Uint8Array(buffer, byteOffset, byteLength) }));
  }
  if (types.isArrayBuffer(input)) return attempt("input", () => bare({ bytes: new Uint8Array(input) }));
  if (isInstance(input, Readable)) {
    // What only inherits from it has no state, and throws.
    attempt("input", () => input.readableFlowing);
    return bare({ stream: input });
  }
  if (typeof input === "object" && input !== null) {
    if (attempt("input", () => Symbol.asyncIterator in input))
      return attempt("input", () => bare({ stream: Readable.from(input as AsyncIterable<unknown>) }));
    if (Object.hasOwn(input, "file")) return undefined;
  }
  throw new InvalidOptionError(
    "input",
    input,
    "it must be a string, bytes, a readable stream, an async iterable or { file }",
  );
}
