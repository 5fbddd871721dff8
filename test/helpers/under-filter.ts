// Programs and system calls under a seccomp filter, by a launcher of the
// test's own: test/fixtures/under-filter.c, compiled here.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { errnoName } from "#pidpool/native/errno.js";
import { NUMBERS, type Arch } from "#pidpool/process/seccomp/numbers.js";
import { compileSeccomp } from "#pidpool/process/seccomp/seccomp.js";
import { compile } from "./compile.ts";

/** This machine's. */
export const arch: Arch = process.arch === "arm64" ? "arm64" : "x64";

/** How a program under a filter ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
}

/** A system call by name, and its arguments. */
export type Call = readonly [name: string, ...args: number[]];

export class UnderFilter {
  readonly #dir = mkdtempSync(join(tmpdir(), "pidpool-seccomp-"));
  readonly #launcher: string;
  readonly #filter = join(this.#dir, "filter");
  /** Why nothing can be run, if so. */
  readonly unavailable: string | false;

  /** @param option a value of the option seccomp, or a filter. */
  constructor(option: unknown) {
    after(() => rmSync(this.#dir, { recursive: true, force: true }));
    writeFileSync(this.#filter, option instanceof Uint8Array ? option : compileSeccomp(option, arch));
    const compiled = compile("under-filter");
    this.#launcher = compiled.unavailable === false ? compiled.file : "";
    this.unavailable = compiled.unavailable;
  }

  /** What puts itself under the filter; see the launcher's source for what to append. */
  get command(): readonly [string, string] {
    return [this.#launcher, this.#filter];
  }

  /** Runs a program to its end. */
  run(file: string, args: readonly string[] = [], options: RunOptions = {}): Ended {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, signal, stdout, stderr } = spawnSync(this.#launcher, [this.#filter, "exec", file, ...args], {
      encoding: "utf8",
      env: { ...env, LC_ALL: "C" },
      timeout: 60_000,
      input: options.input ?? "",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return { code: status, signal, stdout, stderr };
  }

  /** What system calls answer: their results, or names of errnos. */
  call(...calls: readonly Call[]): (number | string)[] {
    const numbered = calls.map(([name, ...args]) => [NUMBERS[arch].get(name) ?? Number(name), ...args].join());
    const { stdout, status, signal, stderr } = spawnSync(this.#launcher, [this.#filter, "call", ...numbered], {
      encoding: "utf8",
    });
    if (status !== 0) return [...stdout.trim().split("\n"), signal ?? stderr];
    return stdout
      .trim()
      .split("\n")
      .map(Number)
      .map((result) => (result < 0 ? errnoName(-result) : result));
  }
}

/** Why a program cannot be run here, for a test's `skip`. */
export function missing(file: string): string | false {
  const { status } = spawnSync("sh", ["-c", 'command -v "$0"', file]);
  return status === 0 ? false : `${file} is not installed`;
}
