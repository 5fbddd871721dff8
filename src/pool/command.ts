// A command: a launch prepared once and started often.
import { InvalidOptionError } from "../errors.ts";
import { bare } from "../process/bare.ts";
import { copyEnv } from "../process/env.ts";
import type { Encoding, LaunchOptions, StdioOption } from "../process/options.ts";
import type { Process } from "../process/process.ts";
import type { Captured, ProcessOf, RunResult } from "../process/result.ts";
import { launchOptions, overrideSpec, resolveSpec, type LaunchSpec } from "../process/spec.ts";
import type { LaunchKind } from "../process/stdio.ts";
import type { RunOptions, SpawnOptions } from "./options.ts";
import type { WarmOptions } from "./warm/options.ts";
import { WarmCommand, type WarmSource } from "./warm/warm-command.ts";

/** Starts a resolved spec; the pool gives these to its commands. */
export interface CommandHost {
  readonly defaults: LaunchOptions;
  readonly warm: WarmSource["host"];
  run(spec: LaunchSpec): Promise<RunResult>;
  spawn(spec: LaunchSpec): Promise<Process>;
}

/** Made by {@link ProcessPool.command}. The environment is that of the moment it was made. */
export class Command<S extends StdioOption | undefined = undefined, E extends Encoding = "utf8"> {
  readonly file: string;
  readonly args: readonly string[];
  readonly #host: CommandHost;
  readonly #options: LaunchOptions;
  readonly #specs: Record<LaunchKind, LaunchSpec | undefined> = { run: undefined, spawn: undefined };

  constructor(host: CommandHost, file: string | URL, args: readonly string[], options: LaunchOptions) {
    this.#host = host;
    // What the caller changes later is not the command's.
    const own: LaunchOptions = launchOptions(options);
    if (own.env !== undefined) own.env = copyEnv(own.env) as NonNullable<LaunchOptions["env"]>;
    // Both kinds differ in their default stdio only; what is wrong for run() alone shows when run() is called.
    const spec = resolveSpec(wantsPipe(own) ? "spawn" : "run", file, args, own, host.defaults);
    if (spec.input !== undefined && "stream" in spec.input) {
      throw new InvalidOptionError("input", own.input, "a stream can be read once; give it to the command's run()");
    }
    this.#specs[spec.kind] = spec;
    this.#options = bare({ ...own, env: own.env ?? host.defaults.env ?? { ...process.env } });
    this.file = spec.file;
    this.args = spec.args;
  }

  #spec(kind: LaunchKind, overrides: LaunchOptions | undefined): LaunchSpec {
    const { defaults } = this.#host;
    const spec = (this.#specs[kind] ??= resolveSpec(kind, this.file, this.args, this.#options, defaults));
    return overrides === undefined ? spec : overrideSpec(spec, this.#options, overrides, defaults);
  }

  /** As {@link ProcessPool.run}; `overrides` change some of the command's options for this once. */
  run<const S2 extends StdioOption = S extends StdioOption ? S : "capture", const E2 extends Encoding = E>(
    overrides?: RunOptions<S2, E2>,
  ): Promise<RunResult<Captured<S2, 1, E2>, Captured<S2, 2, E2>>> {
    return this.#start("run", overrides) as Promise<RunResult<Captured<S2, 1, E2>, Captured<S2, 2, E2>>>;
  }

  /** As {@link ProcessPool.spawn}. */
  spawn<const S2 extends StdioOption = S extends StdioOption ? S : "pipe">(
    overrides?: SpawnOptions<S2>,
  ): Promise<ProcessOf<S2>> {
    return this.#start("spawn", overrides) as Promise<ProcessOf<S2>>;
  }

  /**
   * Starts processes ahead of need that wait on their stdin, for any program that reads it before it does anything else:
   * a job then gets a fresh process at the latency of a write. The command's options hold for each of them, `timeout` and
   * `signal` from the begin of its job on.
   *
   * @throws InvalidOptionError
   * @throws PidpoolError ERR_CLOSED
   */
  warm(options?: WarmOptions): WarmCommand<S, E> {
    const { file, args } = this;
    const { defaults, warm: host } = this.#host;
    return new WarmCommand<S, E>({ host, file, args, options: this.#options, defaults }, options);
  }

  /** What an async function does, without its cost: another promise, and two more turns of the microtask queue. */
  #start(kind: LaunchKind, overrides: LaunchOptions | undefined): Promise<RunResult | Process> {
    let spec: LaunchSpec;
    try {
      spec = this.#spec(kind, overrides);
    } catch (error) {
      return rejected(error);
    }
    return kind === "run" ? this.#host.run(spec) : this.#host.spawn(spec);
  }
}

function wantsPipe({ stdio }: LaunchOptions): boolean {
  return stdio === "pipe" || (Array.isArray(stdio) && stdio.includes("pipe"));
}

async function rejected(error: unknown): Promise<never> {
  throw error;
}
