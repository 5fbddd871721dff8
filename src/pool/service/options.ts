// The options of a service as users write them. Types only; defaults and
// checks are in plan.ts.
import type { CommonOptions, LaunchOptions, Signal, StdioFile } from "../../process/options.ts";
import type { ListenOptions } from "../listen/options.ts";
import type { Replica } from "./replica.ts";
import type { RestartPolicy } from "./restart-decision.ts";

/** An exit code, 0–255, or a signal's name. */
export type ExitStatus = number | NodeJS.Signals;

/** When, and how often, a process that has ended is started again. All times are milliseconds. */
export interface RestartOptions {
  /** systemd's `Restart=`. Default: `"on-failure"`. */
  readonly policy?: RestartPolicy | undefined;
  /** Clean ends beside exit code 0, SIGHUP, SIGINT, SIGTERM and SIGPIPE. `SuccessExitStatus=`. */
  readonly successCodes?: readonly ExitStatus[] | undefined;
  /** Ends after which it is never restarted, whatever the policy. Comes before `forceRestart`. `RestartPreventExitStatus=`. */
  readonly preventRestart?: readonly ExitStatus[] | undefined;
  /** Ends after which it is always restarted. A program that cannot be executed counts as code 203. `RestartForceExitStatus=`. */
  readonly forceRestart?: readonly ExitStatus[] | undefined;
  /** Delays between an end and the restart. */
  readonly backoff?:
    | {
        /** The first delay; `RestartSec=`. Default: 100. */
        readonly initial?: number | undefined;
        /** By which each delay is longer than the one before. Default: 2. */
        readonly factor?: number | undefined;
        /** The longest delay. Default: 30 000, or `initial` if that is more. */
        readonly max?: number | undefined;
        /** The share of a delay that chance may take off, 0–1: so that what failed together does not return together. Default: 0.2. */
        readonly jitter?: number | undefined;
        /** Ready for so long, it begins with `initial` again. Default: 10 000. */
        readonly resetAfter?: number | undefined;
      }
    | undefined;
  /** How often one replica may be started. */
  readonly startLimit?:
    | {
        /** Starts within any `interval`; Infinity for any number. `StartLimitBurst=`. Default: 5. */
        readonly burst?: number | undefined;
        /** 0 for no limit. `StartLimitIntervalSec=`. Default: 10 000. */
        readonly interval?: number | undefined;
        /**
         * What follows when the next restart would be one too many. `"give-up"` (default): that replica has failed, the
         * others go on. `"escalate"`: the whole service is stopped and has failed, and its group, or else the pool's
         * event `error`, is told.
         */
        readonly action?: "give-up" | "escalate" | undefined;
      }
    | undefined;
}

/** A program to run beside a replica, with the launch options of the service. */
export interface ServiceCommand {
  readonly file: string | URL;
  readonly args?: readonly string[] | undefined;
}

/**
 * Asks a replica how it is. Returns nothing or true for "well"; false, or a rejection, for "not well". The signal fires
 * when the time is over, and when the replica goes away.
 */
export type ProbeFunction = (replica: Replica, signal: AbortSignal) => Promise<boolean | void> | boolean | void;

/** A function, or a command that exits with 0 where all is well. Never two at a time for one replica. */
export type Probe = {
  /** Milliseconds from the end of one probe to the next. Default: 200 for `ready`, 10 000 for `health`. */
  readonly interval?: number | undefined;
  /** Milliseconds that one may take; a command gets SIGKILL then. Default: 5000. */
  readonly timeout?: number | undefined;
} & (
  | { readonly probe: ProbeFunction; readonly command?: undefined }
  | { readonly command: ServiceCommand; readonly probe?: undefined }
);

/** A probe of replicas that are ready. */
export type HealthProbe = Probe & {
  /** Failures in a row after which a replica is ended. Default: 3. */
  readonly threshold?: number | undefined;
};

/**
 * When a replica is ready:
 * - `"exec"`: once its program runs
 * - `"notify"`: at its READY=1, see the launch option `notify`
 * - `{ fd }`: at its newline to that fd of its own
 * - a probe: when that succeeds, for the first time
 */
export type Readiness = "exec" | "notify" | { readonly fd: number } | Probe;

/** How replicas are told to read their configuration anew: a signal, a function, or a command that finds a replica's pid in MAINPID. */
export type Reload = Signal | ((replica: Replica) => Promise<void> | void) | ServiceCommand;

/** Launch options that make no sense for what is started again and again. */
type Unfit = "check" | "encoding" | "maxOutput" | "outputGrace" | "killSignal" | "killAfter";

/** Options of {@link ProcessPool.service}. All times are milliseconds. */
export interface ServiceOptions extends Omit<CommonOptions, Unfit> {
  /** Unique among the services of the pool that are not stopped, exited or failed. */
  name: string;
  /** A path, or a name to look up in the PATH of `env`. */
  file: string | URL;
  args?: readonly string[] | undefined;
  argv0?: string | undefined;
  /**
   * Where the fds of each replica lead: `"ignore"`, `"inherit"`, an fd that stays open here, or a file. A service has
   * no streams: who reads them would change with every restart. Default: `["ignore", "inherit", "inherit"]`.
   */
  stdio?: "ignore" | "inherit" | readonly ("ignore" | "inherit" | number | StdioFile | null | undefined)[] | undefined;
  /**
   * Sockets that are open from the first start until stop(), or until all replicas have failed or exited; restarts
   * keep them, so no connection is lost. Each replica has them as its fds from 3 on, as sd_listen_fds(3) says; `stdio`
   * then ends at fd 2. See docs/listen.md. Default: none.
   */
  listen?: readonly ListenOptions[] | undefined;
  /** See {@link LaunchOptions.notify}. Default: what `ready` needs. */
  notify?: LaunchOptions["notify"];
  /** See {@link LaunchOptions.watchdog}; a missed ping is the result `"watchdog"`. `WatchdogSec=`. Default: 0, none. */
  watchdog?: number | undefined;
  /** How many processes. Each finds its index, from 0 on, in PIDPOOL_REPLICA. 1–1024. Default: 1. */
  replicas?: number | undefined;
  /** Default: `"on-failure"`. */
  restart?: RestartPolicy | RestartOptions | undefined;
  /** Default: `"exec"`, or `"notify"` where `notify` is true. */
  ready?: Readiness | undefined;
  /** From the launch to readiness; then it is ended, result `"timeout"`. `TimeoutStartSec=`. Default: 90 000; Infinity for never. */
  startTimeout?: number | undefined;
  /** A replica that fails it is ended, result `"watchdog"`. Default: none. */
  health?: HealthProbe | undefined;
  /** What ends a replica. `KillSignal=`. Default: the pool's `killSignal`, SIGTERM. */
  stopSignal?: Signal | undefined;
  /** From `stopSignal` to SIGKILL. `TimeoutStopSec=`. Default: the pool's `killAfter`, 5000; Infinity for never. */
  stopTimeout?: number | undefined;
  /** See {@link Service.reload}. Default: none. */
  reload?: Reload | undefined;
}
