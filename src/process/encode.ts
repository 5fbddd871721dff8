// A launch spec as the shim reads it: `struct pp_spec` and what it points to,
// in one block. See native/shim/pidpool.h.
import { DEVNULL_SOURCE, FD, SPEC } from "../native/layout.ts";
import type { Confinement } from "./confinement.ts";
import type { EnvBlock } from "./env.ts";
import { CREATE_MODE, type FdPlan } from "./stdio.ts";

/** What goes into the block; all of it checked. */
export interface Encodable {
  /** What to try with execve, in order. */
  readonly candidates: readonly string[];
  /** argv, argv[0] included. */
  readonly argv: readonly string[];
  readonly env: EnvBlock;
  readonly cwd: string | undefined;
  readonly fds: readonly FdPlan[];
  readonly groups: readonly number[];
  readonly flags: number;
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
  readonly nice: number;
  readonly pdeathsig: number;
  readonly confinement: Confinement | undefined;
}

/** Where the value of a variable is within an encoded spec. */
export function variableAt(block: Uint8Array, name: string): number | undefined {
  const words = new Int32Array(block.buffer);
  const count = words[SPEC.envc >> 2] ?? 0;
  const table = (words[SPEC.envp >> 2] ?? 0) >> 2;
  const head = Buffer.from(`${name}=`, "utf8");
  for (let i = 0; i < count; i++) {
    const at = words[table + 2 * i] ?? 0;
    if (head.equals(block.subarray(at, at + head.length))) return at + head.length;
  }
  return undefined;
}

/** Encodes once; every launch works on a copy. */
export function encodeSpec(spec: Encodable): Uint8Array {
  const { argv, env, fds, candidates, groups, confinement } = spec;
  const files = fds.flatMap((plan) => (plan.kind === "file" ? [plan.path] : []));
  const strings = [...argv, ...candidates, ...files, ...(spec.cwd === undefined ? [] : [spec.cwd])];
  const joined = Buffer.from(`${strings.join("\0")}\0`, "utf8");

  const argvAt = SPEC.SIZE;
  const envpAt = argvAt + (argv.length + 1) * 8;
  const fdsAt = envpAt + (env.offsets.length + 1) * 8;
  const pathsAt = fdsAt + fds.length * FD.SIZE;
  const groupsAt = pathsAt + candidates.length * 4;
  const pidsAt = groupsAt + groups.length * 4;
  const stringsAt = pidsAt + env.pids.length * 4;
  const envAt = stringsAt + joined.length;
  const confinementAt = (envAt + env.bytes.length + 7) & ~7;
  const size = confinementAt + (confinement?.bytes.length ?? 0);

  const bytes = new Uint8Array(size);
  const words = new Int32Array(bytes.buffer);
  bytes.set(joined, stringsAt);
  bytes.set(env.bytes, envAt);

  let cursor = stringsAt;
  const nextString = (): number => {
    const at = cursor;
    cursor = stringsAt + joined.indexOf(0, cursor - stringsAt) + 1;
    return at;
  };
  const table = (at: number, stride: number, i: number, value: number): void => {
    words[(at + i * stride) >> 2] = value;
  };
  for (let i = 0; i < argv.length; i++) table(argvAt, 8, i, nextString());
  for (let i = 0; i < env.offsets.length; i++) table(envpAt, 8, i, envAt + (env.offsets[i] ?? 0));
  for (let i = 0; i < candidates.length; i++) table(pathsAt, 4, i, nextString());
  for (let i = 0; i < groups.length; i++) table(groupsAt, 4, i, groups[i] ?? 0);
  for (let i = 0; i < env.pids.length; i++) table(pidsAt, 4, i, envAt + (env.pids[i] ?? 0));
  fds.forEach((plan, i) => {
    const field = (offset: number, value: number): void => table(fdsAt + offset, FD.SIZE, i, value);
    field(FD.target, plan.target);
    field(FD.source, plan.kind === "fd" ? plan.fd : plan.kind === "ignore" ? DEVNULL_SOURCE : -1);
    field(FD.handed, -1);
    if (plan.kind === "file") {
      field(FD.path, nextString());
      field(FD.flags, plan.flags);
      field(FD.mode, CREATE_MODE);
    }
  });
  const header = (offset: number, value: number): void => table(offset, 0, 0, value);
  header(SPEC.size, size);
  header(SPEC.flags, spec.flags);
  header(SPEC.argc, argv.length);
  header(SPEC.argv, argvAt);
  header(SPEC.envc, env.offsets.length);
  header(SPEC.envp, envpAt);
  header(SPEC.pathc, candidates.length);
  header(SPEC.paths, pathsAt);
  header(SPEC.fdc, fds.length);
  header(SPEC.fds, fdsAt);
  header(SPEC.groupc, groups.length);
  header(SPEC.groups, groupsAt);
  header(SPEC.pidc, env.pids.length);
  header(SPEC.pids, pidsAt);
  header(SPEC.cwd, spec.cwd === undefined ? 0 : nextString());
  header(SPEC.uid, spec.uid);
  header(SPEC.gid, spec.gid);
  header(SPEC.umask, spec.umask);
  header(SPEC.nice, spec.nice);
  header(SPEC.pdeathsig, spec.pdeathsig);
  for (const field of [SPEC.joinUser, SPEC.joinNetwork, SPEC.joinPid, SPEC.cgroup]) header(field, -1);
  if (confinement !== undefined) {
    header(SPEC.flags, spec.flags | confinement.flags);
    bytes.set(confinement.bytes, confinementAt);
    for (const at of confinement.relocations) {
      const i = (confinementAt + at) >> 2;
      words[i] = (words[i] ?? 0) + confinementAt;
    }
    for (const [field, value] of confinement.words) header(field, value);
    for (const [field, offset] of confinement.pointers) header(field, confinementAt + offset);
  }
  return bytes;
}
