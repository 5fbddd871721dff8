// What a service refuses, and how.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { InvalidOptionError, type ServiceOptions } from "pidpool";
import { ProcessPool } from "../../helpers/pool.ts";

/** Options, and the name that the error has to give. */
const WRONG: readonly [unknown, string][] = [
  [undefined, "options"],
  [null, "options"],
  [{ file: "true" }, "name"],
  [{ name: "", file: "true" }, "name"],
  [{ name: "x" }, "file"],
  [{ name: "x", file: 1 }, "file"],
  [{ name: "x", file: "true", args: "a" }, "args"],
  [{ name: "x", file: "true", args: [1] }, "args[0]"],
  [{ unknown: 1 }, "unknown"],
  [{ replicas: 0 }, "replicas"],
  [{ replicas: 1.5 }, "replicas"],
  [{ check: false }, "check"],
  [{ input: "text" }, "input"],
  [{ signal: AbortSignal.abort() }, "signal"],
  [{ killSignal: "SIGINT" }, "killSignal"],
  [{ killAfter: 1 }, "killAfter"],
  [{ encoding: "buffer" }, "encoding"],
  [{ stdio: "pipe" }, "stdio"],
  [{ stdio: ["ignore", "capture"] }, "stdio[1]"],
  [{ stdio: [null, "inherit", { file: "" }] }, "stdio[2].file"],
  [{ stopSignal: "SIGNONE" }, "stopSignal"],
  [{ stopTimeout: -1 }, "stopTimeout"],
  [{ startTimeout: 0 }, "startTimeout"],
  [{ cwd: 1 }, "cwd"],
  [{ env: { A: 1 } }, 'env["A"]'],
  [{ timeout: "1" }, "timeout"],
  [{ restart: "sometimes" }, "restart"],
  [{ restart: { policy: "sometimes" } }, "restart.policy"],
  [{ restart: { delay: 1 } }, "restart.delay"],
  [{ restart: { successCodes: 1 } }, "restart.successCodes"],
  [{ restart: { successCodes: [256] } }, "restart.successCodes[0]"],
  [{ restart: { preventRestart: [1, "SIGNONE"] } }, "restart.preventRestart[1]"],
  [{ restart: { forceRestart: [1.5] } }, "restart.forceRestart[0]"],
  [{ restart: { backoff: { initial: -1 } } }, "restart.backoff.initial"],
  [{ restart: { backoff: { initial: 10, max: 9 } } }, "restart.backoff.max"],
  [{ restart: { backoff: { factor: 0.5 } } }, "restart.backoff.factor"],
  [{ restart: { backoff: { jitter: 2 } } }, "restart.backoff.jitter"],
  [{ restart: { backoff: { resetAfter: Number.NaN } } }, "restart.backoff.resetAfter"],
  [{ restart: { startLimit: { burst: 0 } } }, "restart.startLimit.burst"],
  [{ restart: { startLimit: { interval: -1 } } }, "restart.startLimit.interval"],
  [{ restart: { startLimit: { action: "reboot" } } }, "restart.startLimit.action"],
  [{ ready: "soon" }, "ready"],
  [{ ready: {} }, "ready"],
  [{ ready: { fd: 2 } }, "ready.fd"],
  [{ ready: { fd: 3, interval: 1 } }, "ready.interval"],
  [{ ready: { probe: 1 } }, "ready.probe"],
  [{ ready: { probe: () => true, command: { file: "true" } } }, "ready"],
  [{ ready: { command: { file: "" } } }, "ready.command.file"],
  [{ ready: { command: { file: "true", cwd: "/" } } }, "ready.command.cwd"],
  [{ ready: { probe: () => true, interval: 0 } }, "ready.interval"],
  [{ ready: "notify", notify: false }, "notify"],
  [{ ready: { fd: 4 }, notify: { fd: 5 } }, "notify"],
  [{ ready: { fd: 4 }, watchdog: 1000 }, "watchdog"],
  [{ health: {} }, "health"],
  [{ health: { probe: () => true, threshold: 0 } }, "health.threshold"],
  [{ health: { probe: () => true, timeout: 0 } }, "health.timeout"],
  [{ reload: "SIGNONE" }, "reload"],
  [{ reload: { args: [] } }, "reload.file"],
];

const pool = new ProcessPool();
after(() => pool.destroy());

for (const [given, option] of WRONG) {
  test(`${option} is named: ${JSON.stringify(given)}`, () => {
    const complete =
      typeof given === "object" && given !== null && !("file" in given) && !("name" in given)
        ? { name: "x", file: "true", ...given }
        : given;
    assert.throws(
      () => pool.service(complete as ServiceOptions),
      (error) => {
        assert.ok(error instanceof InvalidOptionError, String(error));
        assert.equal(error.option, option);
        return true;
      },
    );
  });
}

test("nothing is started where an option is wrong", async () => {
  assert.equal(pool.stats().completed + pool.stats().children, 0);
  pool.on("spawn", () => assert.fail("a child was started"));
  assert.throws(() => pool.service({ name: "x", file: "true", replicas: -1 }), InvalidOptionError);
  assert.throws(() => pool.service({ name: "x", file: "true", cwd: "\0" }), InvalidOptionError);
  // The name is still free.
  const service = pool.service({ name: "x", file: "/no/such/program", restart: "no" });
  await assert.rejects(service.ready);
});

test("what the caller changes later is not the service's", async () => {
  await using own = new ProcessPool();
  const env: Record<string, string> = { PATH: process.env["PATH"] ?? "", WORD: "kept" };
  const args = ["-c", '[ "$WORD" = kept ] && exec sleep 1000'];
  const options: ServiceOptions = { name: "x", file: "sh", args, env, restart: "no" };
  const service = own.service(options);
  env["WORD"] = "changed";
  args[1] = "exit 1";
  await service.ready;
  await service.scale(2);
  await service.restart();
  assert.equal(service.state, "ready");
  assert.deepEqual(
    service.reports.filter(({ report }) => report?.reason !== "shutdown"),
    [],
  );
});
