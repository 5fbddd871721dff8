// What pools publish through node:diagnostics_channel.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test, type TestContext } from "node:test";
import type { DiagnosticsMessages, RestartInfo } from "pidpool";
import { ProcessPool } from "../helpers/pool.ts";
import { failure } from "../helpers/services.ts";

/** Collects what is published on a channel until the test ends or `stop` is called. */
function collect<Name extends keyof DiagnosticsMessages>(
  t: TestContext,
  name: Name,
): { messages: DiagnosticsMessages[Name][]; stop: () => void } {
  const messages: DiagnosticsMessages[Name][] = [];
  const listen = (message: unknown): void => void messages.push(message as DiagnosticsMessages[Name]);
  const stop = (): void => void unsubscribe(name, listen);
  subscribe(name, listen);
  t.after(stop);
  return { messages, stop };
}

test("launches and exits of all pools are published", async (t) => {
  const launches = collect(t, "pidpool:launch");
  const exits = collect(t, "pidpool:exit");
  await using one = new ProcessPool();
  await using other = new ProcessPool();
  const ran = await one.run("sh", ["-c", "exit 3"], { check: false });
  const spawned = await other.spawn("true");
  const report = await spawned.exited;
  assert.deepEqual(
    launches.messages.map(({ pool, pid, file, args }) => [pool === one, pid, file, args]),
    [
      [true, ran.pid, "sh", ["-c", "exit 3"]],
      [false, spawned.pid, "true", []],
    ],
  );
  assert.deepEqual(
    exits.messages.map(({ pool, report: seen, file }) => [pool === one, seen === ran.exit || seen === report, file]),
    [
      [true, true, "sh"],
      [false, true, "true"],
    ],
  );
});

test("a launch that fails is neither", async (t) => {
  const launches = collect(t, "pidpool:launch");
  const exits = collect(t, "pidpool:exit");
  await using pool = new ProcessPool();
  await assert.rejects(pool.run("no-such-program"));
  assert.deepEqual([launches.messages, exits.messages], [[], []]);
});

test("whoever unsubscribes hears nothing more", async (t) => {
  const exits = collect(t, "pidpool:exit");
  await using pool = new ProcessPool();
  await pool.run("true");
  exits.stop();
  await pool.run("true");
  assert.equal(exits.messages.length, 1);
});

test("restarts of services are published as the event of the pool tells them", async (t) => {
  const restarts = collect(t, "pidpool:restart");
  await using pool = new ProcessPool();
  const told: RestartInfo[] = [];
  pool.on("restart", (info) => void told.push(info));
  const backoff = { initial: 1 };
  const service = pool.service({ name: "crash", file: "false", restart: { backoff, startLimit: { burst: 2 } } });
  await failure(service);
  assert.equal(told.length, 1);
  assert.deepEqual(restarts.messages, [{ pool, ...told[0] }]);
  assert.equal(told[0]?.end.result, "exit-code");
});
