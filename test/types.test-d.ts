// Tests of the public types. The build compiles this file, and that is the
// test: nothing here runs. A line under @ts-expect-error must be an error.
import type { Duplex, Readable, Writable } from "node:stream";
import {
  type CgroupUsage,
  type ChildInfo,
  type CoreDump,
  type DiagnosticsMessages,
  ERROR_CODES,
  type ErrorCode,
  ExitError,
  type ExitMessage,
  explain,
  type Feature,
  type ExitReason,
  type ExitReport,
  type Group,
  type GroupError,
  InvalidOptionError,
  IsolationError,
  LaunchError,
  type Notification,
  type LaunchMessage,
  PidpoolError,
  type PoolStats,
  probe,
  type ProbeReport,
  type ProbeResult,
  type Process,
  ProcessPool,
  type Replica,
  type RestartMessage,
  type RunResult,
  type Service,
  type ServiceEnd,
  StartLimitError,
  type Stopped,
  type Truncation,
  type WarmCommand,
  type WarmStats,
} from "pidpool";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only where the value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...same: Equal<V, T> extends true ? [] : [expected: T]) => void;

declare const pool: ProcessPool;
declare const report: ExitReport;
declare const either: boolean;

/** What run() captures. */
export async function captured(): Promise<void> {
  const text = await pool.run("true");
  expectType<string>()(text.stdout);
  expectType<string>()(text.stderr);
  expectType<ExitReport>()(text.exit);
  expectType<number>()(text.pid);
  expectType<readonly string[]>()(text.args);
  expectType<Truncation | null>()(text.truncated);

  const bytes = await pool.run("true", [], { encoding: "buffer" });
  expectType<Buffer>()(bytes.stdout);
  expectType<Buffer>()(bytes.stderr);
  expectType<string>()((await pool.run("true", [], { encoding: "latin1" })).stdout);
  expectType<string>()((await pool.run("true", [], { timeout: 1000, check: false })).stdout);
  expectType<string | Buffer>()((await pool.run("true", [], { encoding: either ? "buffer" : "utf8" })).stdout);

  const ignored = await pool.run("true", [], { stdio: "ignore" });
  expectType<null>()(ignored.stdout);
  expectType<null>()(ignored.stderr);
  expectType<null>()((await pool.run("true", [], { stdio: "inherit" })).stdout);
}

/** The same, by entries of a list. */
export async function capturedByEntry(): Promise<void> {
  const some = await pool.run("true", [], { stdio: ["ignore", "capture", "ignore"] });
  expectType<string>()(some.stdout);
  expectType<null>()(some.stderr);

  const file = await pool.run("true", [], {
    stdio: ["ignore", { file: "/tmp/out", append: true }, "capture"],
    encoding: "buffer",
  });
  expectType<null>()(file.stdout);
  expectType<Buffer>()(file.stderr);

  // What a list leaves out, or holds no place for, is the default.
  const short = await pool.run("true", [], { stdio: ["ignore"] });
  expectType<string>()(short.stdout);
  const gaps = await pool.run("true", [], { stdio: ["ignore", undefined, null] });
  expectType<string>()(gaps.stdout);
  expectType<string>()(gaps.stderr);

  const unknown = await pool.run("true", [], { stdio: either ? "capture" : "ignore" });
  expectType<string | null>()(unknown.stdout);
}

/** The streams of a spawned process. */
export async function streams(): Promise<void> {
  const child = await pool.spawn("cat");
  expectType<Writable>()(child.stdin);
  expectType<Readable>()(child.stdout);
  expectType<Readable>()(child.stderr);
  expectType<Promise<ExitReport>>()(child.exited);
  expectType<readonly (Readable | Writable | Duplex | null)[]>()(child.stdio);
  expectType<boolean>()(child.kill("SIGTERM", { group: true }));
  child.on("exit", (end) => expectType<ExitReport>()(end));

  const partly = await pool.spawn("cat", [], { stdio: ["pipe", "ignore", "inherit"] });
  expectType<Writable>()(partly.stdin);
  expectType<null>()(partly.stdout);
  expectType<null>()(partly.stderr);

  const silent = await pool.spawn("cat", [], { stdio: "ignore" });
  expectType<null>()(silent.stdin);
  expectType<null>()(silent.stdout);

  const perhaps = await pool.spawn("cat", [], { stdio: either ? "pipe" : "ignore" });
  expectType<Readable | null>()(perhaps.stdout);

  // A process whose streams are known is a process.
  expectType<Promise<void>>()(child.ready);
  child.on("notify", (notification) => expectType<Notification>()(notification));
  const any: Process = child;
  expectType<Readable | null>()(any.stdout);
  expectType<Readable | null>()((partly as Process).stdout);

  await using scoped = await pool.spawn("cat");
  scoped.unref().ref();
}

/** A command has the types of run() and spawn(), with its own options as defaults. */
export async function commands(): Promise<void> {
  const plain = pool.command("true");
  expectType<string>()((await plain.run()).stdout);
  expectType<Writable>()((await plain.spawn()).stdin);
  expectType<Buffer>()((await plain.run({ encoding: "buffer" })).stdout);

  const bytes = pool.command("true", [], { encoding: "buffer", stdio: ["ignore", "capture", "inherit"] });
  const result = await bytes.run({ timeout: 10 });
  expectType<Buffer>()(result.stdout);
  expectType<null>()(result.stderr);
  expectType<string>()((await bytes.run({ encoding: "utf8" })).stdout);
}

/** Services: options are checked, events and ends are typed. */
export async function services(): Promise<void> {
  const service = pool.service({
    name: "x",
    file: "x",
    restart: { policy: "on-abnormal", successCodes: [3, "SIGUSR1"] },
  });
  expectType<Service>()(service);
  service.on("exit", (end, replica) => {
    expectType<ServiceEnd>()(end);
    expectType<ExitReport | null>()(end.report);
    expectType<Replica>()(replica);
  });
  service.on("failed", (error) => expectType<"ERR_SERVICE_FAILED">()(error.code));
  pool.on("restart", ({ delay }) => expectType<number>()(delay));
  // @ts-expect-error a service has no streams
  pool.service({ name: "x", file: "x", stdio: "pipe" });
  // @ts-expect-error not a policy
  pool.service({ name: "x", file: "x", restart: "sometimes" });
  // @ts-expect-error a probe is a function or a command, not both
  pool.service({ name: "x", file: "x", health: { probe: () => true, command: { file: "x" } } });
  // @ts-expect-error the name is required
  pool.service({ file: "x" });
  // @ts-expect-error stop() takes its place
  pool.service({ name: "x", file: "x", signal: new AbortController().signal });
  expectType<void>()(await service.ready);
}

/** A warm command has the types of its command's run(); what was settled at the start cannot be given with a job. */
export async function warmCommands(): Promise<void> {
  const plain = pool.command("cat").warm();
  expectType<WarmCommand>()(plain);
  expectType<string>()((await plain.run()).stdout);
  expectType<string>()((await plain.run({ input: "x", timeout: 10, check: false })).stderr);
  expectType<void>()(await plain.ready);
  expectType<WarmStats>()(plain.stats());
  const bytes = pool
    .command("cat", [], { encoding: "buffer", stdio: ["ignore", "capture", "inherit"] })
    .warm({ spares: 8, backoff: { initial: 10 }, startLimit: { burst: 3 } });
  const result = await bytes.run({ input: new Uint8Array(1) });
  expectType<Buffer>()(result.stdout);
  expectType<null>()(result.stderr);
  // @ts-expect-error the process runs there already
  void plain.run({ cwd: "/" });
  // @ts-expect-error output is captured from the start on
  void plain.run({ encoding: "buffer" });
  // @ts-expect-error its stdin is a pipe
  void plain.run({ input: { file: "/etc/passwd" } });
  // @ts-expect-error no such option
  void pool.command("cat").warm({ size: 8 });
}

/** Codes are literal: they can be compared and looked up, and misspelt ones are errors. */
export function errors(caught: unknown): string | undefined {
  expectType<
    | "ERR_INVALID_OPTION"
    | "ERR_UNSUPPORTED"
    | "ERR_LAUNCH"
    | "ERR_EXIT"
    | "ERR_QUEUE_FULL"
    | "ERR_START_LIMIT"
    | "ERR_CLOSED"
    | "ERR_ABORTED"
    | "ERR_ISOLATION"
    | "ERR_LISTEN"
    | "ERR_SERVICE_FAILED"
    | "ERR_SUPERVISOR"
  >()(null as unknown as ErrorCode);
  if (caught instanceof LaunchError) {
    expectType<"ERR_LAUNCH">()(caught.code);
    expectType<string>()(caught.stage);
    return caught.syscall;
  }
  if (caught instanceof ExitError) {
    expectType<"ERR_EXIT">()(caught.code);
    expectType<RunResult>()(caught.result);
    expectType<ExitReport>()(caught.exit);
  }
  if (caught instanceof StartLimitError) {
    expectType<"ERR_START_LIMIT">()(caught.code);
    expectType<ExitReport | undefined>()(caught.report);
  }
  if (caught instanceof IsolationError) {
    expectType<"ERR_ISOLATION">()(caught.code);
    expectType<string>()(caught.stage);
    expectType<string | undefined>()(caught.remedy);
  }
  if (caught instanceof InvalidOptionError) {
    expectType<"ERR_INVALID_OPTION">()(caught.code);
    expectType<string>()(caught.option);
    expectType<unknown>()(caught.value);
  }
  if (caught instanceof PidpoolError) expectType<ErrorCode>()(caught.code);
  return undefined;
}

export function meaning(error: PidpoolError): string {
  // @ts-expect-error no such code
  if (error.code === "ERR_TYPO") return "";
  return ERROR_CODES[error.code];
}

/** A report is one of three, told apart by `status`. */
export function reports(): string {
  expectType<ExitReason>()(report.reason);
  expectType<number | null>()(report.maxRss);
  // @ts-expect-error a code is there only where the child exited
  void report.code;
  switch (report.status) {
    case "exited":
      expectType<number>()(report.code);
      // @ts-expect-error a child that exited has no signal
      void report.signal;
      return "code";
    case "signaled":
      expectType<string>()(report.signal);
      expectType<boolean>()(report.coreDumped);
      // @ts-expect-error nor has one that was killed a code
      void report.code;
      return "signal";
    case "unknown":
      return "nothing";
  }
}

/** What reports say beside the status. */
export function deeds(): string {
  const { stopped, limit, cgroup, stderrTail } = report;
  expectType<Stopped | null>()(stopped);
  if (stopped !== null) expectType<ExitReason | "kill">()(stopped.by);
  expectType<CgroupUsage | null>()(cgroup);
  expectType<string | null>()(stderrTail);
  if (limit?.name === "maxOutput") expectType<number | null>()(limit.fd);
  // @ts-expect-error only output has an fd
  if (limit?.name === "memory") void limit.fd;
  if (report.status === "signaled") expectType<CoreDump | null>()(report.core);
  // @ts-expect-error frozen
  report.stopped = null;
  // @ts-expect-error bytes
  void pool.run("true", [], { stderrTail: "4k" });
  return explain(report, { file: "x", args: ["y"] }) + explain(report);
}

/** Messages of the diagnostics channels, by name. */
export function diagnostics(message: unknown): void {
  expectType<LaunchMessage>()(message as DiagnosticsMessages["pidpool:launch"]);
  expectType<ExitReport>()((message as ExitMessage).report);
  expectType<ExitReport | null>()((message as RestartMessage).end.report);
  expectType<ProcessPool>()((message as LaunchMessage).pool);
}

/** Events carry what they are about. */
export function events(): void {
  pool.on("exit", (end, child) => {
    expectType<ExitReport>()(end);
    expectType<ChildInfo>()(child);
  });
  pool.on("error", (error) => {
    expectType<PidpoolError>()(error);
  });
  expectType<PoolStats>()(pool.stats());
  // @ts-expect-error no such event
  pool.on("close", () => {});
}

/** Limits and rules are a pool's, a launch's and a command's alike. */
export function confined(): void {
  const limits = { cpuSeconds: 10, openFiles: 64, core: 0, addressSpace: Infinity } as const;
  const filesystem = { execute: ["/usr", new URL("file:///bin")], readWrite: ["."] } as const;
  const tcp = { connect: [443], bind: [] } as const;
  void new ProcessPool({ limits, filesystem, tcp });
  void pool.run("true", [], { limits, filesystem, tcp });
  void pool.command("true", [], { limits, filesystem, tcp }).spawn({ limits: { stack: undefined } });
  // @ts-expect-error seconds
  void pool.run("true", [], { limits: { cpuSeconds: "10" } });
  // @ts-expect-error no such limit
  void pool.run("true", [], { limits: { openFile: 3 } });
  // @ts-expect-error a list
  void pool.run("true", [], { filesystem: { readOnly: "/etc" } });
  // @ts-expect-error no such right
  void pool.run("true", [], { filesystem: { write: ["/tmp"] } });
  // @ts-expect-error ports are numbers
  void pool.run("true", [], { tcp: { connect: ["443"] } });
}

/** What the doctor says is read-only, and its words are literal. */
export async function diagnosis(): Promise<void> {
  const found = await probe();
  expectType<ProbeReport>()(found);
  expectType<readonly ProbeResult[]>()(found.features);
  expectType<boolean>()(found.ready);
  expectType<"glibc" | "musl" | null>()(found.libc);
  for (const { feature, status, group, detail, remedy, since, neededFor } of found.features) {
    expectType<Feature>()(feature);
    expectType<"yes" | "no" | "limited">()(status);
    expectType<"launching" | "isolation" | "confinement" | "cgroups" | "limits">()(group);
    expectType<string>()(detail);
    expectType<string | null>()(remedy);
    expectType<string | null>()(since);
    expectType<readonly string[]>()(neededFor);
    // @ts-expect-error no such feature
    void (feature === "isolation-full");
  }
  // @ts-expect-error frozen
  found.ready = true;
}

/** Groups hold services and groups. */
export async function groups(): Promise<void> {
  const service = { name: "a", file: "a" };
  await using group = pool.group({
    name: "g",
    strategy: "rest_for_one",
    parts: [service, { name: "h", parts: [service] }],
  });
  expectType<Group>()(group);
  expectType<Service | Group | undefined>()(group.parts.get("h/a"));
  for (const part of group.parts) expectType<Service | Group>()(part);
  group.on("failed", (error) => expectType<GroupError>()(error));
  // @ts-expect-error no such strategy
  pool.group({ name: "g", strategy: "simple_one_for_one", parts: [service] });
  // @ts-expect-error neither a service nor a group
  pool.group({ name: "g", parts: [{ name: "a" }] });
}

/** What is no option, or no value of one, does not compile. */
export function wrong(): void {
  // @ts-expect-error no such option
  void new ProcessPool({ thread: 2 });
  // @ts-expect-error a number
  void new ProcessPool({ concurrency: "8" });
  // @ts-expect-error input is a launch's, not a pool's
  void new ProcessPool({ input: "text" });
  // @ts-expect-error no such option
  void pool.run("true", [], { timeOut: 1 });
  // @ts-expect-error arguments are strings
  void pool.run("true", [1]);
  // @ts-expect-error no such encoding
  void pool.run("true", [], { encoding: "utf-99" });
  // @ts-expect-error no such word for stdio
  void pool.run("true", [], { stdio: "pip" });
  // @ts-expect-error nor in a list
  void pool.run("true", [], { stdio: ["ignore", "pip"] });
  // @ts-expect-error no such signal
  void pool.run("true", [], { killSignal: "SIGNONE" });
  // @ts-expect-error milliseconds
  void pool.spawn("true", [], { timeout: "5s" });
  void pool.spawn("true", [], { notify: { fd: 3 } });
  // @ts-expect-error true, false or { fd }
  void pool.spawn("true", [], { notify: "fd" });
  // @ts-expect-error milliseconds
  void pool.run("true", [], { notify: true, watchdog: "5s" });
  // @ts-expect-error "kill" or "keep"
  void pool.spawn("true", [], { orphans: true });
  // @ts-expect-error streams cannot be assigned
  void pool.spawn("true").then((child) => (child.stdin = null));
}
