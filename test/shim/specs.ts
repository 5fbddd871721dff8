// Encoded specs, as a launch would hand them to the shim: each feature at least
// once, and as many mixtures as are asked for.
import {
  array,
  boolean,
  constant,
  constantFrom,
  dictionary,
  integer,
  nat,
  oneof,
  record,
  sample,
  string,
  tuple,
} from "fast-check";
import { FD, SPEC } from "#pidpool/native/layout.js";
import { guardianSpec, heirSpec } from "#pidpool/process/guardian-spec.js";
import { resolveSpec, type LaunchSpec } from "#pidpool/process/spec.js";
import { IsolationError } from "pidpool";

const text = string({ unit: "binary", maxLength: 12 }).map((s) => s.replaceAll("\0", ""));
const name = text.map((s) => `V${s.replaceAll("=", "")}`);
const id = oneof(nat(), constantFrom(0, 65534, 0xfffffffe));
const file = text.map((s) => ({ file: `/tmp/${s}` }));
const stdio = array(oneof(constantFrom("ignore", "inherit", "pipe"), file), {
  minLength: 3,
  maxLength: 9,
});
const paths = array(constantFrom("/", "/usr", "/tmp"), { minLength: 1, maxLength: 4 });
const limit = integer({ min: 1, max: 1000 });
const isolation = oneof(
  constantFrom("none", "shared", "contained", "private"),
  record(
    {
      network: constantFrom("shared", "private"),
      pid: constantFrom("host", "shared", "private"),
      ipc: boolean(),
      uts: constant(true),
      cgroup: boolean(),
      hostname: constantFrom("h", "a-host.name"),
      mount: oneof(boolean(), record({ tmp: boolean(), readOnly: constant(["/usr"]) }, { requiredKeys: [] })),
      capabilities: constantFrom([], ["CAP_NET_BIND_SERVICE"], ["CAP_SYS_ADMIN", "CAP_BPF"]),
      noNewPrivileges: boolean(),
    },
    { requiredKeys: [] },
  ),
  constant({ user: "private", mapUid: 0, mapGid: 0 }),
  constant({ user: "private", network: "private", loopback: true }),
);

const options = record(
  {
    stdio,
    argv0: text,
    cwd: constantFrom("/", "/tmp", "."),
    env: dictionary(name, text, { maxKeys: 6 }),
    isolation,
    seccomp: constantFrom("default", "compute", { default: "allow", rules: [] }),
    limits: record(
      { cpuSeconds: limit, openFiles: limit, fileSize: limit, core: limit, stack: limit, addressSpace: limit },
      { requiredKeys: [] },
    ),
    filesystem: record({ readOnly: paths, readWrite: paths, execute: paths }, { requiredKeys: [] }),
    tcp: record({ bind: array(nat(65535)), connect: array(nat(65535)) }, { requiredKeys: [] }),
    uid: id,
    gid: id,
    groups: array(id, { maxLength: 8 }),
    umask: nat(0o777),
    nice: integer({ min: -20, max: 19 }),
    session: constantFrom(true, false, "group"),
    orphans: constantFrom("kill", "keep"),
  },
  { requiredKeys: [] },
);

const FEATURES: readonly Record<string, unknown>[] = [
  {},
  { isolation: "none", env: {}, stdio: "ignore", orphans: "keep" },
  { stdio: ["pipe", "pipe", "pipe", "pipe", "ignore", "inherit", { file: "/tmp/out", append: true }] },
  { uid: 65534, gid: 65534, groups: [1, 2, 3], umask: 0o27, nice: 5, session: true },
  { isolation: "contained", session: "group" },
  { isolation: "private" },
  { isolation: { user: "private", network: "private", loopback: true, mount: true, ipc: true, hostname: "there" } },
  { isolation: { mount: { tmp: true, readOnly: ["/usr"], readWrite: ["/usr/local"] } } },
  { isolation: { pid: "shared", mount: { proc: true } } },
  { isolation: { user: "host", capabilities: ["CAP_NET_RAW"] }, uid: 1 },
  { limits: { openFiles: 64, cpuSeconds: 1, core: 0 }, seccomp: "default" },
  { filesystem: { readOnly: ["/usr"], readWrite: ["/tmp"] }, tcp: { connect: [443], bind: [80] } },
];

/** Each way in which the pool adds to an environment. */
const VARIABLES = [
  { name: "LISTEN_PID", value: undefined },
  { name: "NOTIFY_SOCKET", value: 108 },
  { name: "LISTEN_FDS", value: "1" },
];

function resolved(args: readonly string[], given: Record<string, unknown>, added: boolean): LaunchSpec | undefined {
  try {
    return resolveSpec("spawn", "sh", args, given, {}, added ? VARIABLES : []);
  } catch (error) {
    // This kernel lacks it, or the options contradict each other.
    if (error instanceof IsolationError || (error as { code?: string }).code === "ERR_INVALID_OPTION") return undefined;
    throw error;
  }
}

/** What a launch writes into its copy, but for the numbers of fds: those are for whoever launches it. */
function supplied({ block, fds, isolation: plan }: LaunchSpec): Uint8Array {
  const bytes = Uint8Array.from(block);
  const words = new Int32Array(bytes.buffer);
  const table = words[SPEC.fds >> 2] ?? 0;
  fds.forEach(({ kind }, i) => {
    if (kind === "fd" || kind === "file" || kind === "ignore") return;
    for (const field of [FD.source, FD.handed]) words[(table + i * FD.SIZE + field) >> 2] = i & 1;
  });
  if (plan.user) words[SPEC.joinUser >> 2] = 3;
  if (plan.network) words[SPEC.joinNetwork >> 2] = 4;
  if (plan.pid) {
    words[SPEC.joinPid >> 2] = 5;
    words[SPEC.joinPidId >> 2] = 1;
  }
  return bytes;
}

/** All features, and `count` mixtures that follow from the seed. */
export function encodedSpecs(count: number, seed: number): Uint8Array[] {
  const guardians = [heirSpec(0, "group", "/sys/fs/cgroup/some")];
  const contained = resolved([], { isolation: "contained" }, false);
  if (contained !== undefined) guardians.push(guardianSpec(0, contained.isolation, true));
  const mixtures = sample(tuple(array(text, { maxLength: 4 }), options, boolean()), {
    seed,
    numRuns: count,
  });
  return [
    ...guardians,
    ...FEATURES.map((given) => resolved(["-c", ":"], given, true)),
    ...mixtures.map(([args, given, added]) => resolved(args, given, added)),
  ].flatMap((spec) => (spec === undefined ? [] : [supplied(spec)]));
}
