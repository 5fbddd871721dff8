// scale(), rolling restart() and reload().
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { InvalidOptionError, type Service, ServiceError } from "pidpool";
import { rejection } from "../../helpers/errors.ts";
import { tempDir } from "../../helpers/files.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { isAlive, until } from "../../helpers/processes.ts";
import { becomes, pidOf, script } from "../../helpers/services.ts";

/** The fewest replicas that were ready at any moment from now on. */
function fewestReady(service: Service): () => number {
  const count = (): number => service.replicas.filter(({ state }) => state === "ready").length;
  let fewest = count();
  service.on("replica", () => (fewest = Math.min(fewest, count())));
  return () => fewest;
}

const SLEEP = "exec sleep 1000";

test("scale() starts what is missing and stops what is too much", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, SLEEP, { replicas: 2 });
  await service.ready;
  const pids = [pidOf(service, 0), pidOf(service, 1)];
  await service.scale(4);
  assert.deepEqual(
    service.replicas.map(({ state }) => state),
    ["ready", "ready", "ready", "ready"],
  );
  assert.deepEqual([pidOf(service, 0), pidOf(service, 1)], pids);
  await service.scale(1);
  assert.equal(service.replicas.length, 1);
  assert.equal(pidOf(service), pids[0]);
  assert.ok(!isAlive(pids[1] ?? 0));
  assert.equal(service.state, "ready");
});

test("of a stopped service, scale() changes the number only", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, SLEEP, { replicas: 2 });
  await service.stop();
  await service.scale(3);
  assert.equal(service.state, "stopped");
  await service.start();
  assert.equal(service.replicas.length, 3);
  for (const wrong of [0, 1.5, -1, 1025, "2" as unknown as number]) {
    assert.equal((await rejection(service.scale(wrong), InvalidOptionError)).option, "replicas");
  }
});

test("scale() leaves alone what has exited or waits to be restarted", async (t) => {
  const mark = join(tempDir(t), "mark");
  await using pool = new ProcessPool({ isolation: "none" });
  // Replica 0 is done, replica 1 waits for ever.
  const text = `echo x >> '${mark}'; case $PIDPOOL_REPLICA in 0) exit 0;; 1) exit 1;; *) ${SLEEP};; esac`;
  const backoff = { initial: 1_000_000, max: 1_000_000 };
  const service = script(pool, text, { replicas: 3, restart: { backoff } });
  await Promise.all([becomes(service, "exited", 0), becomes(service, "backoff", 1), becomes(service, "ready", 2)]);
  await service.scale(4);
  assert.deepEqual(
    service.replicas.map(({ state }) => state),
    ["exited", "backoff", "ready", "ready"],
  );
  await until(() => readFileSync(mark, "utf8") === "x\n".repeat(4));
});

test("scale() does not bring back a service that is being stopped", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, SLEEP);
  await service.ready;
  const stopped = service.stop();
  await service.scale(3);
  await stopped;
  assert.equal(service.state, "stopped");
  assert.equal(service.replicas.length, 3);
});

test("there are never two processes of one index: scale() waits for the one that leaves", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, `trap 'sleep 0.1; exit' TERM; echo; while :; do sleep 0.01; done`, {
    replicas: 2,
    stdio: "ignore",
    ready: { command: { file: "sleep", args: ["0.05"] } },
  });
  await service.ready;
  const pid = pidOf(service, 1);
  const shrunk = service.scale(1);
  assert.equal(service.replicas.length, 1);
  const overlaps: boolean[] = [];
  service.on("replica", ({ index, state }) => {
    if (index === 1 && state === "starting") overlaps.push(isAlive(pid));
  });
  await service.scale(2);
  await shrunk;
  assert.deepEqual(overlaps, [false]);
  assert.equal(service.state, "ready");
  assert.notEqual(pidOf(service, 1), pid);
  await service.scale(1);
  assert.equal(service.state, "ready");
});

test("restart() replaces all, and never fewer than n - 1 are ready", async () => {
  await using pool = new ProcessPool();
  // Readiness takes a while.
  const ready = { command: { file: "sleep", args: ["0.02"] } };
  const service = script(pool, SLEEP, { replicas: 4, ready });
  await service.ready;
  const before = new Set(service.replicas.map(({ pid }) => pid));
  const fewest = fewestReady(service);
  await service.restart();
  assert.equal(fewest(), 3);
  assert.ok(service.replicas.every(({ pid, state }) => state === "ready" && !before.has(pid)));
  // What was asked for is no restart of the policy.
  assert.deepEqual(
    service.replicas.map(({ restarts }) => restarts),
    [0, 0, 0, 0],
  );
});

test("a replica that crashes during a rolling restart is waited for", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, SLEEP, { replicas: 3, restart: { policy: "always", backoff: { initial: 30 } } });
  await service.ready;
  const before = new Set(service.replicas.map(({ pid }) => pid));
  const fewest = fewestReady(service);
  service.once("replica", () => process.kill(pidOf(service, 2), "SIGKILL"));
  await service.restart();
  // One crashed while another was replaced; more were never missing.
  assert.equal(fewest(), 1);
  assert.ok(service.replicas.every(({ pid, state }) => state === "ready" && !before.has(pid)));
});

test("a rolling restart whose new process fails leaves the others alone", async (t) => {
  const mark = join(tempDir(t), "bad");
  await using pool = new ProcessPool();
  const service = script(pool, `[ -e '${mark}' ] && exit 1; ${SLEEP}`, {
    replicas: 3,
    // One that is about to end is not ready.
    ready: { probe: () => !existsSync(mark) },
    restart: { startLimit: { burst: 1 } },
  });
  await service.ready;
  const before = service.replicas.map(({ pid }) => pid);
  await pool.run("touch", [mark]);
  const error = await rejection(service.restart(), ServiceError);
  assert.match(error.message, /replica 0 exited with code 1/);
  assert.deepEqual(
    service.replicas.map(({ pid }) => pid),
    [null, before[1], before[2]],
  );
});

test("a rolling restart whose new process exits for good rejects", async (t) => {
  const mark = join(tempDir(t), "done");
  await using pool = new ProcessPool();
  const service = script(pool, `[ -e '${mark}' ] && exit 0; ${SLEEP}`, { replicas: 3 });
  await service.ready;
  const before = service.replicas.map(({ pid }) => pid);
  await pool.run("touch", [mark]);
  const error = await rejection(service.restart(), ServiceError);
  assert.match(error.message, /replica \d exited with code 0 .*and is not restarted \(on-failure\)/);
  assert.equal(service.replicas[2]?.pid, before[2]);
});

test("restart() while one is under way replaces all once more; stop() ends both", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, SLEEP, { replicas: 2 });
  await service.ready;
  let ends = 0;
  service.on("exit", () => ends++);
  const first = service.restart();
  await becomes(service, "restarting", 1);
  await Promise.all([first, service.restart()]);
  // The second one found replica 1 on its way already: it was replaced once or twice.
  assert.ok(ends === 3 || ends === 4, `${ends}`);
  const broken = service.restart();
  await Promise.all([rejection(broken, ServiceError), service.stop()]);
  assert.equal(service.state, "stopped");
});

test("with one replica, the process is ended before the next one starts", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, SLEEP);
  await service.ready;
  const pid = pidOf(service);
  const starting = becomes(service, "starting").then(() => isAlive(pid));
  await service.restart();
  assert.equal(await starting, false);
  assert.notEqual(pidOf(service), pid);
});

test("restart() of a service that has failed or was stopped starts it", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, SLEEP);
  await service.stop();
  await service.restart();
  assert.equal(service.state, "ready");
});

test("reload() by signal, by function and by command", async (t) => {
  const dir = tempDir(t);
  await using pool = new ProcessPool({ isolation: "none" });
  const mark = join(dir, "hup");
  const text = `trap "echo x >> '${mark}'" HUP; : > '${mark}'; while :; do sleep 0.01; done`;
  const bySignal = script(pool, text, { name: "signal", reload: "SIGHUP" });
  await bySignal.ready;
  await until(() => existsSync(mark));
  await bySignal.reload();
  await until(() => readFileSync(mark, "utf8") === "x\n");
  assert.equal(bySignal.state, "ready");

  const told: number[] = [];
  const byFunction = script(pool, SLEEP, {
    name: "function",
    replicas: 2,
    reload: ({ index }) => void told.push(index),
  });
  await byFunction.ready;
  await byFunction.reload();
  assert.deepEqual(told, [0, 1]);

  const file = join(dir, "pid");
  const byCommand = script(pool, SLEEP, {
    name: "command",
    reload: { file: "sh", args: ["-c", `echo $MAINPID $PIDPOOL_REPLICA > '${file}'`] },
  });
  await byCommand.ready;
  await byCommand.reload();
  assert.equal(readFileSync(file, "utf8"), `${pidOf(byCommand)} 0\n`);
});

test("a command that reloads ends with the process that it is for", async (t) => {
  const file = join(tempDir(t), "pid");
  await using pool = new ProcessPool({ isolation: "none" });
  const reload = { file: "sh", args: ["-c", `echo $$ > '${file}'; ${SLEEP}`] };
  const service = script(pool, SLEEP, { reload });
  await service.ready;
  const reloaded = rejection(service.reload(), ServiceError);
  await until(() => existsSync(file) && readFileSync(file, "utf8") !== "");
  await service.stop();
  assert.match((await reloaded).message, /the command to reload replica 0 .*aborted/);
  assert.ok(!isAlive(Number(readFileSync(file, "utf8"))));
});

test("a reload that fails says so, and leaves the process as it is", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, SLEEP, { reload: { file: "false" } });
  await service.ready;
  const pid = pidOf(service);
  assert.match((await rejection(service.reload(), ServiceError)).message, /reload replica 0 exited with code 1/);
  assert.equal(pidOf(service), pid);
  const without = script(pool, SLEEP, { name: "without" });
  assert.equal((await rejection(without.reload(), InvalidOptionError)).option, "reload");
});
