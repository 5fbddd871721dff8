// Right values of every option, and what the documentation takes where that can be
// said in a line. tsc fails here when an options type has a key that is not.
import { Readable } from "node:stream";
import * as fc from "fast-check";
import type {
  CommonOptions,
  Explained,
  FilesystemRules,
  GroupOptions,
  HealthProbe,
  IsolationOptions,
  KillOptions,
  LaunchOptions,
  Limits,
  ListenFd,
  ListenPath,
  ListenPort,
  MountOptions,
  PoolOptions,
  RestartOptions,
  SeccompOptions,
  SeccompRule,
  ServiceCommand,
  ServiceOptions,
  StdioFile,
  StopOptions,
  TcpRules,
  WarmBackoff,
  WarmOptions,
  WarmRunOptions,
  WarmStartLimit,
} from "pidpool";
import type { CpuMax, IoLimit } from "#pidpool/process/cgroup-limits.js";
import { some } from "./cases.ts";
import { Recipe } from "./values.ts";

type Shape<T> = Readonly<Record<keyof T, fc.Arbitrary<unknown>>>;
type KeysOfUnion<T> = T extends unknown ? keyof T : never;

const ms = fc.integer({ min: 1, max: 50_000 });
const id = fc.integer({ min: 0, max: 0xfffffffe });
const flag = fc.boolean();
const whose = fc.constantFrom("host", "shared", "private");
const paths = fc.array(fc.constantFrom("/", "/usr", "/tmp", "/dev", "/proc"), { maxLength: 3 });
const signal = fc.constantFrom<string | number>("SIGTERM", "SIGKILL", "SIGINT", 1, 15, 64);
const bytes = fc.integer({ min: 0, max: 2 ** 40 });
const ports = fc.array(fc.integer({ min: 1, max: 65535 }), { maxLength: 3 });
const fileUrl = fc.constant(new Recipe("new URL('file:///tmp')", () => new URL("file:///tmp")));

const STDIO_FILE = {
  file: fc.constant("/dev/null"),
  append: flag,
  read: fc.constant(false),
} satisfies Shape<StdioFile>;

const MOUNT = {
  tmp: flag,
  readOnly: paths,
  readWrite: fc.constant([]),
  proc: fc.constant(false),
} satisfies Shape<MountOptions>;

const ISOLATION = {
  user: whose,
  network: whose,
  pid: whose,
  mount: fc.oneof(flag, some(MOUNT)),
  ipc: flag,
  uts: fc.constant(true),
  cgroup: flag,
  time: fc.constant(false),
  loopback: fc.constant(false),
  hostname: fc.constantFrom("h", "a".repeat(64)),
  mapUid: id,
  mapGid: id,
  capabilities: fc.subarray(["CAP_KILL", "CAP_NET_RAW", "CAP_SYS_ADMIN"]),
  noNewPrivileges: flag,
} satisfies Shape<IsolationOptions>;

const CPU_MAX = {
  quota: fc.integer({ min: 1000, max: 100_000 }),
  period: fc.constantFrom(1000, 100_000),
} satisfies Shape<CpuMax>;
const IO = {
  device: fc.constantFrom("8:0", "/dev/sda", "."),
  readBytes: ms,
  writeBytes: ms,
  readOps: ms,
  writeOps: ms,
} satisfies Shape<IoLimit>;

const RLIMITS = {
  cpuSeconds: fc.double({ min: 0.5, max: 1000, noNaN: true }),
  addressSpace: bytes,
  dataBytes: bytes,
  fileSize: bytes,
  openFiles: fc.integer({ min: 0, max: 1024 }),
  processes: bytes,
  stack: bytes,
  core: fc.constant(0),
};

const LIMITS = {
  ...RLIMITS,
  memory: fc.integer({ min: 2 ** 25, max: 2 ** 40 }),
  pids: fc.integer({ min: 1, max: 4_194_304 }),
  cpuWeight: fc.integer({ min: 1, max: 10_000 }),
  cpuMax: fc.oneof(fc.double({ min: 0.01, max: 8, noNaN: true }), some(CPU_MAX, ["quota"])),
  io: fc.array(some(IO, ["device", "readBytes"]), { maxLength: 2 }),
} satisfies Shape<Limits>;

const FILESYSTEM = {
  readOnly: paths,
  readWrite: fc.constant(["/dev/shm"]),
  execute: paths,
} satisfies Shape<FilesystemRules>;
const TCP = { bind: ports, connect: ports } satisfies Shape<TcpRules>;

const action = fc.constantFrom("allow", "log", { errno: "EPERM" });
const RULE = {
  syscalls: fc.subarray(["ptrace", "mount", "bpf", "socket"]),
  action: fc.oneof(action, fc.constant("kill")),
} satisfies Shape<SeccompRule>;
const SECCOMP = {
  profile: fc.constantFrom("default", "compute"),
  default: fc.constant("allow"),
  rules: fc.array(some(RULE, ["syscalls", "action"]), { maxLength: 3 }),
} satisfies Shape<SeccompOptions>;

const COMMON = {
  cwd: fc.oneof(fc.constantFrom("/", "/tmp"), fileUrl),
  env: fc.oneof(
    fc.constant({ PATH: "/usr/bin:/bin", A: "b" }),
    fc.constant(new Recipe("process.env", () => process.env)),
  ),
  timeout: fc.integer({ min: 5000, max: 0x7fffffff }),
  killSignal: signal,
  killAfter: fc.integer({ min: 0, max: 100 }),
  maxOutput: fc.integer({ min: 0, max: 2 ** 32 }),
  outputGrace: fc.integer({ min: 0, max: 1000 }),
  stderrTail: fc.integer({ min: 0, max: 2 ** 20 }),
  encoding: fc.constantFrom("utf8", "latin1", "hex", "base64", "buffer"),
  isolation: fc.oneof(fc.constantFrom("none", "shared", "contained", "private"), some(ISOLATION)),
  limits: some(LIMITS),
  filesystem: some(FILESYSTEM),
  tcp: some(TCP),
  cgroup: fc.constantFrom("/nowhere/at/all"),
  seccomp: fc.oneof(fc.constantFrom("default", "compute"), some(SECCOMP)),
  uid: id,
  gid: id,
  groups: fc.array(id, { maxLength: 4 }),
  umask: fc.integer({ min: 0, max: 0o777 }),
  nice: fc.integer({ min: -20, max: 19 }),
  session: fc.constantFrom(true, false, "group"),
  orphans: fc.constantFrom("kill", "keep"),
  check: flag,
} satisfies Shape<CommonOptions>;

const INPUT = fc.oneof(
  fc.constantFrom("text", ""),
  fc.constant(new Recipe("bytes", () => new Uint8Array(10))),
  fc.constant(new Recipe("Readable", () => Readable.from(["a", "b"]))),
);

const LAUNCH = {
  ...COMMON,
  argv0: fc.constant("zero"),
  input: fc.oneof(INPUT, fc.record({ file: fc.constant("/dev/null") })),
  stdio: fc.oneof(
    fc.constantFrom("ignore", "capture"),
    fc.array(fc.oneof(fc.constant("ignore"), some(STDIO_FILE, ["file"])), { maxLength: 4 }),
  ),
  notify: fc.oneof(flag, fc.record({ fd: fc.integer({ min: 3, max: 255 }) })),
  watchdog: fc.constant(0),
  signal: fc.constant(new Recipe("AbortSignal", () => new AbortController().signal)),
} satisfies Shape<LaunchOptions>;

const POOL = {
  ...COMMON,
  threads: fc.constantFrom(1, 2),
  concurrency: fc.constantFrom(1, 4, 64, Infinity),
  maxQueue: fc.constantFrom(0, 1, 1000, Infinity),
} satisfies Shape<PoolOptions>;

const BACKOFF = {
  initial: fc.integer({ min: 1, max: 100 }),
  factor: fc.constantFrom(1, 1.5, 2),
  max: fc.integer({ min: 100, max: 1000 }),
  jitter: fc.constantFrom(0, 0.5, 1),
  resetAfter: fc.constantFrom(0, 1000, Infinity),
} satisfies Shape<WarmBackoff> & Shape<NonNullable<RestartOptions["backoff"]>>;

const START_LIMIT = {
  burst: fc.constantFrom(1, 5, Infinity),
  interval: fc.constantFrom(0, 1000),
} satisfies Shape<WarmStartLimit>;

const statuses = fc.array(fc.constantFrom<string | number>(0, 1, 255, "SIGTERM"), { maxLength: 3 });
const RESTART = {
  policy: fc.constantFrom("no", "always", "on-failure"),
  successCodes: statuses,
  preventRestart: statuses,
  forceRestart: statuses,
  backoff: some(BACKOFF),
  startLimit: some({ ...START_LIMIT, action: fc.constantFrom("give-up", "escalate") } satisfies Shape<
    NonNullable<RestartOptions["startLimit"]>
  >),
} satisfies Shape<RestartOptions>;

const COMMAND = { file: fc.constant("true"), args: fc.constant(["x"]) } satisfies Shape<ServiceCommand>;
const command = some(COMMAND, ["file"]);
const probe = fc.constant(new Recipe("async () => true", () => async () => true));
const HEALTH = {
  probe,
  command,
  interval: ms,
  timeout: ms,
  threshold: fc.constantFrom(1, 3),
} satisfies Readonly<Record<KeysOfUnion<HealthProbe>, fc.Arbitrary<unknown>>>;
const { threshold: _threshold, ...READY } = HEALTH;

const LISTEN_COMMON = {
  name: fc.constantFrom("a", "web"),
  backlog: fc.integer({ min: 1, max: 0x7fffffff }),
  nonBlocking: flag,
};
const LISTEN_PORT = {
  ...LISTEN_COMMON,
  port: fc.constant(0),
  host: fc.constantFrom("127.0.0.1", "::1", "::"),
  ipv6Only: fc.constant(false),
  reusePort: flag,
} satisfies Shape<ListenPort>;
const LISTEN_PATH = {
  ...LISTEN_COMMON,
  path: fc.constantFrom("a.sock", "b.sock"),
  mode: fc.integer({ min: 0, max: 0o777 }),
} satisfies Shape<ListenPath>;
const LISTEN_FD = { fd: fc.constant(0), name: LISTEN_COMMON.name } satisfies Shape<ListenFd>;

const { check: _c, encoding: _e, maxOutput: _m, outputGrace: _o, killSignal: _s, killAfter: _a, ...SERVED } = COMMON;
const SERVICE = {
  ...SERVED,
  name: fc.constantFrom("a", "b", "web server"),
  file: fc.constant("sleep"),
  args: fc.constant(["100000"]),
  argv0: LAUNCH.argv0,
  stdio: fc.oneof(
    fc.constantFrom("ignore", "inherit"),
    fc.array(fc.oneof(fc.constant("ignore"), some(STDIO_FILE, ["file"])), { maxLength: 3 }),
  ),
  listen: fc.array(fc.oneof(some(LISTEN_PORT, ["port"]), some(LISTEN_PATH, ["path"]), some(LISTEN_FD, ["fd"])), {
    maxLength: 3,
  }),
  notify: fc.constant(false),
  watchdog: fc.constant(0),
  replicas: fc.constantFrom(1, 2),
  restart: fc.oneof(RESTART.policy, some(RESTART)),
  ready: fc.oneof(
    fc.constant("exec"),
    some(READY, ["probe"]),
    some({ ...READY, probe: fc.constant(undefined) }, ["command"]),
  ),
  startTimeout: fc.constantFrom(1000, Infinity),
  health: fc.oneof(some(HEALTH, ["probe"]), some({ ...HEALTH, probe: fc.constant(undefined) }, ["command"])),
  stopSignal: signal,
  stopTimeout: fc.integer({ min: 0, max: 100 }),
  reload: fc.oneof(signal, command, fc.constant(new Recipe("() => undefined", () => () => undefined))),
} satisfies Shape<ServiceOptions>;

const GROUP = {
  name: fc.constantFrom("g", "h"),
  strategy: fc.constantFrom("one_for_one", "one_for_all", "rest_for_one"),
  intensity: fc.integer({ min: 0, max: 10 }),
  period: ms,
  parts: fc.constant([]),
} satisfies Shape<GroupOptions>;

const WARM = {
  spares: fc.constantFrom(1, 2),
  concurrency: fc.constantFrom(1, 2, Infinity),
  maxQueue: fc.constantFrom(1, Infinity),
  backoff: some(BACKOFF),
  startLimit: some(START_LIMIT),
} satisfies Shape<WarmOptions>;
const WARM_RUN = {
  input: INPUT,
  timeout: COMMON.timeout,
  signal: LAUNCH.signal,
  killSignal: signal,
  killAfter: COMMON.killAfter,
  outputGrace: COMMON.outputGrace,
  check: flag,
} satisfies Shape<WarmRunOptions>;

const KILL = { group: fc.constant(false), tree: flag } satisfies Shape<KillOptions>;
const STOP = { keepSockets: flag } satisfies Shape<StopOptions>;
const EXPLAINED = { file: fc.constant("true"), args: fc.constant(["a", "b c"]) } satisfies Shape<Explained>;

const leaf = some(SERVICE, ["name", "file", "args"]);
const inner = fc.record({ ...GROUP, parts: fc.array(leaf, { minLength: 1, maxLength: 2 }) });

/** What there are cases of. */
export type ValidKind =
  | "args"
  | "common"
  | "launch"
  | "pool"
  | "confined"
  | "limited"
  | "service"
  | "supervised"
  | "group"
  | "warm"
  | "warmRun"
  | "kill"
  | "stop"
  | "explained";

/** Right values, of the documented shape. Some exclude each other. */
export const VALID: Readonly<Record<ValidKind, fc.Arbitrary<unknown>>> = {
  args: fc.constantFrom([], ["x"], ["a", "b"]),
  common: some(COMMON),
  launch: some(LAUNCH),
  pool: some(POOL),
  confined: fc.record(
    { isolation: some(ISOLATION, [], 8), filesystem: some(FILESYSTEM), tcp: some(TCP), seccomp: some(SECCOMP) },
    { requiredKeys: ["isolation"] },
  ),
  limited: fc.record({ limits: some(LIMITS, [], 8) }),
  service: some(SERVICE, ["name", "file", "args"]),
  /** What services have beyond launches. */
  supervised: some(
    {
      listen: SERVICE.listen,
      restart: some(RESTART, [], 6),
      ready: SERVICE.ready,
      health: SERVICE.health,
      reload: SERVICE.reload,
      name: SERVICE.name,
      file: SERVICE.file,
      args: SERVICE.args,
    },
    ["name", "file", "args", "restart"],
  ),
  group: fc.record(
    { ...GROUP, parts: fc.array(fc.oneof(leaf, inner), { minLength: 1, maxLength: 3 }) },
    { requiredKeys: ["name", "parts"] },
  ),
  warm: some(WARM),
  warmRun: some(WARM_RUN),
  kill: some(KILL),
  stop: some(STOP),
  explained: some(EXPLAINED, ["file"]),
};

const whole = (min: number, max: number) => (value: unknown) =>
  typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
const amount = (min: number, max: number) => (value: unknown) =>
  typeof value === "number" && value >= min && (value <= max || value === Infinity);
const oneOf =
  (...allowed: readonly unknown[]) =>
  (value: unknown) =>
    allowed.includes(value);
const aSignal = (value: unknown): boolean => whole(1, 64)(value) || oneOf("SIGTERM", "SIGKILL", "SIGINT")(value);
const rlimit = (value: unknown): boolean => value === Infinity || whole(0, Number.MAX_SAFE_INTEGER)(value);
const MS = amount(0, 0x7fffffff);

/** What is taken of an option that stands alone. */
export const SCALARS: Readonly<Record<string, (value: unknown) => boolean>> = {
  timeout: MS,
  killSignal: aSignal,
  killAfter: MS,
  maxOutput: amount(0, 2 ** 32),
  outputGrace: MS,
  stderrTail: whole(0, 2 ** 20),
  uid: whole(0, 2 ** 32 - 2),
  gid: whole(0, 2 ** 32 - 2),
  umask: whole(0, 0o777),
  nice: whole(-20, 19),
  session: oneOf(true, false, "group"),
  orphans: oneOf("kill", "keep"),
  check: oneOf(true, false),
  "groups[0]": whole(0, 2 ** 32 - 2),
  "notify.fd": whole(3, 255),
  "tcp.bind[0]": whole(0, 65535),
  "tcp.connect[0]": whole(1, 65535),
  "isolation.ipc": oneOf(true, false),
  "isolation.noNewPrivileges": oneOf(true, false),
  "isolation.network": oneOf("host", "shared", "private"),
  "isolation.capabilities[0]": oneOf("CAP_KILL"),
  "limits.cpuSeconds": (value) => value === Infinity || (typeof value === "number" && value > 0 && value <= 0x7fffffff),
  "limits.addressSpace": rlimit,
  "limits.fileSize": rlimit,
  "limits.stack": rlimit,
  "limits.core": rlimit,
  "limits.processes": rlimit,
  "limits.memory": whole(2 ** 20, Number.MAX_SAFE_INTEGER),
  "limits.pids": whole(1, 4_194_304),
  "limits.cpuWeight": whole(1, 10_000),
  "limits.cpuMax.quota": whole(1000, 100_000 * 8192),
  "limits.io[0].readBytes": whole(1, Number.MAX_SAFE_INTEGER),
};
