// The machine's clock is set, years back and forth, while children live:
// durations follow the monotonic clock, and nothing else.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { ProcessPool, type RestartInfo, type Service } from "pidpool";
import { withAddress } from "#pidpool/native/address.js";
import { native } from "#pidpool/native/load.js";
import { compile } from "../helpers/compile.ts";
import { becomes, failure, mute, script } from "../helpers/services.ts";
import { outsideVm } from "../helpers/vm.ts";
import { said } from "../helpers/wait.ts";

const YEAR = 31_536_000_000;
/** Longer than any test, and shorter than any jump. */
const LONG = 3_600_000;
const CLOCK_SETTIME = process.arch === "x64" ? 227 : 112;
const CLOCK_REALTIME = 0;

/** What the clock says when nobody sets it: performance.now() is of the monotonic clock. */
const origin = Date.now() - performance.now();

function setClock(years: number): void {
  const nanoseconds = BigInt(Math.round((origin + performance.now() + years * YEAR) * 1e6));
  const { syscall } = native();
  const time = new BigInt64Array([nanoseconds / 1_000_000_000n, nanoseconds % 1_000_000_000n]);
  const result = withAddress(time, (at) => syscall(CLOCK_SETTIME, CLOCK_REALTIME, at, 0, 0, 0, 0));
  assert.equal(result, 0);
}

/** Sets the clock until the test ends: again and again ahead, back to the truth, and behind. */
function jump(t: TestContext): void {
  const years = [5, 0, -5];
  let n = 0;
  const timer = setInterval(() => setClock(years[n++ % years.length] ?? 0), 5);
  t.after(() => {
    clearInterval(timer);
    setClock(0);
  });
}

/** Runs an action, and tells how long it took. */
async function timed<T>(action: () => Promise<T>): Promise<{ result: T; took: number }> {
  const start = performance.now();
  const result = await action();
  return { result, took: performance.now() - start };
}

// What comes late would come years late, so that the test's own limit on time ends it.
describe("while the clock is set", { skip: outsideVm }, () => {
  test("timeouts and killAfter take their time, and what has more of it lives", async (t) => {
    await using pool = new ProcessPool({ check: false });
    const other = await pool.spawn("sleep", ["1000"], { timeout: LONG, stdio: "ignore" });
    jump(t);
    const { result, took } = await timed(() => pool.run("sleep", ["1000"], { timeout: 400 }));
    assert.equal(result.exit.reason, "timeout");
    assert.ok(result.exit.wallMs >= 400 && result.exit.wallMs <= took, `${result.exit.wallMs} of ${took} ms`);
    assert.ok(result.waitMs >= 0 && result.waitMs <= took);

    const stop = new AbortController();
    const stubborn = await pool.spawn("sh", ["-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], {
      signal: stop.signal,
      killAfter: 400,
    });
    await said(stubborn.stdout, "deaf");
    stop.abort();
    const end = await timed(() => stubborn.exited);
    assert.deepEqual([end.result.stopped?.escalated, end.took >= 400], [true, true], `${end.took} ms`);
    assert.equal(other.exit, undefined);
    other.kill("SIGKILL");
    const { reason, wallMs } = await other.exited;
    assert.deepEqual([reason, wallMs < LONG], ["signal", true]);
  });

  test("a watchdog waits as long as it is told, and years are no silence", async (t) => {
    const speaker = compile("speak");
    if (speaker.unavailable !== false) return t.skip(speaker.unavailable);
    await using pool = new ProcessPool();
    const speak = (watchdog: number) =>
      pool.spawn(speaker.file, ["READY=1", "@wait"], { notify: true, watchdog, stdio: ["pipe", "ignore", "ignore"] });
    const patient = await speak(LONG);
    await patient.ready;
    jump(t);
    const silent = await speak(400);
    const { reason, wallMs } = await silent.exited;
    assert.deepEqual([reason, wallMs >= 400], ["watchdog", true], `${wallMs} ms`);
    assert.equal(patient.exit, undefined);
    patient.kill("SIGKILL");
    await patient.exited;
  });

  test("delays between restarts are kept, grow, and are not forgotten; the start limit counts", async (t) => {
    await using pool = new ProcessPool();
    jump(t);
    const service = script(pool, "exit 1", {
      restart: {
        policy: "always",
        backoff: { initial: 200, factor: 2, jitter: 0, resetAfter: LONG },
        startLimit: { burst: 4, interval: LONG },
      },
    });
    const restarts: RestartInfo[] = [];
    service.on("restart", (restart) => restarts.push(restart));
    const { reports } = await failure(service);
    assert.deepEqual(
      restarts.map(({ delay }) => delay),
      [200, 400, 800],
    );
    for (const { delay, waited } of restarts) assert.ok(waited >= delay && waited < LONG, `${waited} of ${delay} ms`);
    assert.equal(reports.length, 4);
  });

  test("startTimeout is as long as it says", { skip: mute }, async (t) => {
    await using pool = new ProcessPool();
    jump(t);
    const silent = (name: string, startTimeout: number): Service =>
      script(pool, "exec sleep 1000", { name, ready: "notify", startTimeout, restart: "no" });
    const patient = silent("patient", LONG);
    await becomes(patient, "starting");
    const { result, took } = await timed(() => failure(silent("hasty", 400)));
    assert.deepEqual(
      result.reports.map((end) => end.result),
      ["timeout"],
    );
    assert.ok(took >= 400, `${took} ms`);
    assert.deepEqual([patient.replicas[0]?.state, patient.reports.length], ["starting", 0]);
    await patient.stop();
  });

  test("probes keep their interval, and those of a service that is well do not fail it", async (t) => {
    await using pool = new ProcessPool();
    const times: number[] = [];
    jump(t);
    const service = script(pool, "exec sleep 1000", {
      health: { probe: () => times.push(performance.now()) > 0, interval: 200, timeout: LONG },
    });
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (times.length < 4) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    for (const [i, time] of times.entries()) {
      const before = times[i - 1];
      if (before !== undefined) assert.ok(time - before >= 199, `${time - before} ms`);
    }
    assert.deepEqual([service.replicas[0]?.state, service.reports.length], ["ready", 0]);
    await service.stop();
  });
});

describe("once the clock was set", { skip: outsideVm }, () => {
  test("startedAt is of the time that it is now", async (t) => {
    t.after(() => setClock(0));
    await using pool = new ProcessPool();
    for (const years of [20, -20, 0]) {
      setClock(years);
      const before = Date.now();
      const { exit } = await pool.run("true");
      assert.ok(exit.startedAt > before - 1000 && exit.startedAt < Date.now() + 1000, `${years} years`);
      assert.ok(exit.wallMs <= Date.now() - before + 1, `${exit.wallMs} ms`);
    }
  });

  test("a core dump is found where the clock went back, and an older one is not taken for it", async (t) => {
    t.after(() => setClock(0));
    writeFileSync("/proc/sys/kernel/core_pattern", "core.%p");
    writeFileSync("/proc/sys/kernel/core_uses_pid", "0");
    await using pool = new ProcessPool({ isolation: "none", check: false });
    const cwd = mkdtempSync(join(tmpdir(), "pidpool-"));
    for (const years of [-5, 0, 5]) {
      setClock(years);
      const { exit } = await pool.run("sh", ["-c", "ulimit -c unlimited && kill -SEGV $$"], { cwd });
      assert.ok(exit.status === "signaled");
      assert.deepEqual([exit.core?.to, exit.core?.where], ["file", join(cwd, `core.${exit.pid}`)], `${years} years`);
    }
  });

  test("a job's message tells its own time, where the clock was set while it ran", async (t) => {
    t.after(() => setClock(0));
    await using pool = new ProcessPool({ isolation: "none" });
    await using warm = pool.command("cat").warm({ spares: 1 });
    await warm.ready;
    for (const years of [5, -5]) {
      const start = performance.now();
      const held = new Promise<never>(() => undefined);
      const run = warm.run({
        input: (async function* () {
          yield "x";
          await held;
        })(),
        timeout: 300,
        check: true,
      });
      setClock(years);
      const error = await run.then(
        () => undefined,
        (reason: Error) => reason,
      );
      const told = Number(/timed out after (\d+) ms/.exec(error?.message ?? "")?.[1]);
      assert.ok(told >= 299 && told <= performance.now() - start + 1, error?.message);
    }
  });
});
