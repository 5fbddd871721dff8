// The kinds of lifecycles that a soak is made of: one for each mechanism of the
// library, with its share and the one end that it may have.
import assert from "node:assert/strict";
import { ExitError, LaunchError, type ExitReport, type Isolation, type ProcessPool, type RunResult } from "pidpool";
import type { Children } from "../../bench/children.ts";

/** One way to live. */
export interface Kind {
  readonly name: string;
  /** How many of a hundred lifecycles are such. */
  readonly share: number;
  /** Resolves once it is over, to its report where there was a child; rejects where it was not as it must be. */
  live(): Promise<ExitReport | undefined>;
}

/** The programs that they start. */
export interface Programs {
  readonly children: Children;
  /** test/fixtures/speak.c, compiled. */
  readonly speak: string;
}

export function endOf(report: ExitReport): string {
  return report.status === "exited" ? `code ${report.code}` : report.status === "signaled" ? report.signal : "unknown";
}

const IGNORED = ["ignore", "ignore", "ignore"] as const;
const HELD = ["pipe", "ignore", "ignore"] as const;
const TEXT = "some input\n".repeat(20);
const LARGE = 200_000;

/** The report of an end, which must have been this one. */
function ended(report: ExitReport, end: string, reason: ExitReport["reason"] = "exit"): ExitReport {
  assert.deepEqual([endOf(report), report.reason], [end, reason]);
  return report;
}

/** One that the pool ends before its exec gets SIGKILL: there is no program yet to be gentle with. */
function stopped(report: ExitReport, reason: ExitReport["reason"]): ExitReport {
  return ended(report, endOf(report) === "SIGKILL" ? "SIGKILL" : "SIGTERM", reason);
}

async function succeeded(run: Promise<RunResult>, stdout: string | null): Promise<ExitReport> {
  const result = await run;
  assert.equal(result.stdout, stdout);
  return ended(result.exit, "code 0");
}

async function failure<E extends Error>(run: Promise<unknown>, type: new (...args: never) => E): Promise<E> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof type, `${String(error)} is no ${type.name}`);
  return error;
}

/**
 * Their shares are a hundred in all.
 *
 * @param most "contained", unless this machine refuses that.
 */
export function kindsOf(pool: ProcessPool, { children, speak }: Programs, most: Isolation): readonly Kind[] {
  const quiet = pool.command(children.nop, [], { stdio: IGNORED });
  const contained = pool.command(children.nop, [], { stdio: IGNORED, isolation: most });
  const loud = pool.command(children.emit, ["100"]);
  const large = pool.command(children.emit, [`${LARGE}`], { encoding: "buffer" });
  const endless = pool.command(children.emit, ["1000000000"], { maxOutput: 1000 });
  const unhappy = pool.command(children.emit, [], { stdio: IGNORED });
  const cat = pool.command("cat", [], { input: TEXT });
  const hold = pool.command(children.hold, [], { stdio: HELD });
  const late = pool.command(children.hold, [], { stdio: HELD, timeout: 20 });
  const missing = pool.command("/nonexistent/program");
  const signals = pool.command("sh", ["-c", "echo >&3"], { stdio: IGNORED, notify: { fd: 3 } });
  const speaks = pool.command(speak, ["READY=1\nSTATUS=up", "@wait"], { stdio: HELD, notify: true });
  const tailed = pool.command("sh", ["-c", "echo last words >&2"], { stdio: IGNORED, stderrTail: 100 });

  return [
    { name: "output ignored", share: 60, live: () => succeeded(quiet.run(), null) },
    { name: "output captured", share: 17, live: () => succeeded(loud.run(), "\0".repeat(100)) },
    {
      name: "large output captured",
      share: 1,
      live: async () => {
        const { stdout, exit } = await large.run();
        assert.equal(stdout.length, LARGE);
        return ended(exit, "code 0");
      },
    },
    {
      name: "more output than allowed",
      share: 1,
      live: async () => stopped((await failure(endless.run(), ExitError)).exit, "output-limit"),
    },
    { name: "input, and the same captured", share: 2, live: () => succeeded(cat.run(), TEXT) },
    {
      name: "exit code 1",
      share: 2,
      live: async () => ended((await failure(unhappy.run(), ExitError)).exit, "code 1"),
    },
    {
      name: "no such program",
      share: 5,
      live: async () => {
        assert.equal((await failure(missing.run(), LaunchError)).errno, "ENOENT");
        return undefined;
      },
    },
    {
      name: "piped, ends with its stdin",
      share: 3,
      live: async () => {
        const child = await hold.spawn();
        child.stdin.end();
        return ended(await child.exited, "code 0");
      },
    },
    {
      name: "piped, killed",
      share: 4,
      live: async () => {
        const child = await hold.spawn();
        assert.ok(child.kill("SIGKILL"));
        return ended(await child.exited, "SIGKILL", "signal");
      },
    },
    { name: "timed out", share: 1, live: async () => stopped(await (await late.spawn()).exited, "timeout") },
    {
      name: "aborted",
      share: 1,
      live: async () => {
        const controller = new AbortController();
        const child = await hold.spawn({ signal: controller.signal });
        controller.abort();
        return stopped(await child.exited, "aborted");
      },
    },
    {
      name: "ready by a newline on an fd",
      share: 1,
      live: async () => {
        const child = await signals.spawn();
        await child.ready;
        return ended(await child.exited, "code 0");
      },
    },
    {
      name: "ready by sd_notify",
      share: 1,
      live: async () => {
        const child = await speaks.spawn();
        await child.ready;
        child.stdin.end();
        const report = await child.exited;
        assert.equal(report.message, "up");
        return ended(report, "code 0");
      },
    },
    {
      name: "stderr's end kept",
      share: 0.5,
      live: async () => {
        const { exit } = await tailed.run();
        assert.equal(exit.stderrTail, "last words\n");
        return ended(exit, "code 0");
      },
    },
    { name: "isolated", share: 0.5, live: () => succeeded(contained.run(), null) },
  ];
}
