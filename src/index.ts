// The package's public face; exports only.
export { ProcessPool } from "./pool/pool.ts";
export type { ChildInfo, PoolEvents } from "./pool/events.ts";
export { Command } from "./pool/command.ts";
export { Group } from "./pool/service/group.ts";
export type { GroupEvents, GroupRestart } from "./pool/service/group.ts";
export type { GroupState } from "./pool/service/group-lifecycle.ts";
export type { GroupOptions } from "./pool/service/group-options.ts";
export type { GroupParts } from "./pool/service/group-parts.ts";
export type { Strategy } from "./pool/service/group-plan.ts";
export { Service } from "./pool/service/service.ts";
export type { ServiceEvents, StopOptions } from "./pool/service/service.ts";
export type { Replica } from "./pool/service/replica.ts";
export type { RestartInfo, ServiceEnd } from "./pool/service/end.ts";
export type { ReplicaState, ServiceState } from "./pool/service/lifecycle.ts";
export type { RestartPolicy } from "./pool/service/restart-decision.ts";
export type { ServiceResult } from "./pool/service/result.ts";
export type {
  ExitStatus,
  HealthProbe,
  Probe,
  ProbeFunction,
  Readiness,
  Reload,
  RestartOptions,
  ServiceCommand,
  ServiceOptions,
} from "./pool/service/options.ts";
export type { PoolOptions, RunOptions, SpawnOptions } from "./pool/options.ts";
export type { HistogramSummary, PoolStats, SupervisorStats } from "./pool/stats.ts";
export type { SocketAddress } from "./pool/listen/address.ts";
export type { ListenFd, ListenOptions, ListenPath, ListenPort } from "./pool/listen/options.ts";
export type { ListenAddress } from "./pool/listen/standing-sockets.ts";
export { WarmCommand } from "./pool/warm/warm-command.ts";
export type { WarmStats } from "./pool/warm/warm-command.ts";
export type { WarmBackoff, WarmOptions, WarmRunOptions, WarmStartLimit } from "./pool/warm/options.ts";
export { Process } from "./process/process.ts";
export type { KillOptions, ProcessEvents, StdioStream } from "./process/process.ts";
export type {
  CommonOptions,
  Encoding,
  FilesystemRules,
  Input,
  Isolation,
  IsolationOptions,
  LaunchOptions,
  Limits,
  MountOptions,
  Signal,
  StdioEntry,
  StdioFile,
  StdioOption,
  TcpRules,
} from "./process/options.ts";
export type { Capability } from "./process/capabilities.ts";
export type {
  SeccompAction,
  SeccompOption,
  SeccompOptions,
  SeccompProfile,
  SeccompRule,
} from "./process/seccomp/options.ts";
export { explain } from "./process/explain.ts";
export type { Explained } from "./process/explain.ts";
export type { CoreDump, ExitFacts, ExitReason, ExitReport, ReachedLimit, Stopped } from "./process/report.ts";
export type { CgroupUsage } from "./process/cgroup-reason.ts";
export type { DiagnosticsMessages, ExitMessage, LaunchMessage, RestartMessage } from "./pool/diagnostics.ts";
export type { Notification } from "./process/notification.ts";
export type { Output, RunResult, Truncation } from "./process/result.ts";
export { probe } from "./doctor/probe.ts";
export type { ProbeReport, ProbeResult, ProbeStatus } from "./doctor/report.ts";
export type { Feature, FeatureGroup } from "./doctor/features.ts";
export {
  ERROR_CODES,
  ExitError,
  GroupError,
  InvalidOptionError,
  IsolationError,
  LaunchError,
  PidpoolError,
  ServiceError,
  StartLimitError,
} from "./errors.ts";
export type { ErrorCode } from "./errors.ts";
