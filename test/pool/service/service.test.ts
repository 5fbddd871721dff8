// What becomes of a service: started, ended, failed, stopped.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  InvalidOptionError,
  LaunchError,
  type PidpoolError,
  type ReplicaState,
  type RestartMessage,
  ServiceError,
} from "pidpool";
import { rejection } from "../../helpers/errors.ts";
import { startFixture } from "../../helpers/fixture.ts";
import { tempDir } from "../../helpers/files.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { childPids, isAlive, until } from "../../helpers/processes.ts";
import { becomes, failure, pidOf, script, turns } from "../../helpers/services.ts";

test("a service starts at once, with as many replicas as asked for, each with its index", async (t) => {
  const dir = tempDir(t);
  await using pool = new ProcessPool();
  const service = script(pool, `echo $PIDPOOL_REPLICA > '${dir}'/$$; exec sleep 1000`, { replicas: 3 });
  assert.equal(service.state, "starting");
  await service.ready;
  assert.equal(service.state, "ready");
  assert.deepEqual(
    service.replicas.map(({ index, state, restarts, lastEnd }) => [index, state, restarts, lastEnd]),
    [0, 1, 2].map((index) => [index, "ready", 0, null]),
  );
  for (const { index, pid, readySince } of service.replicas) {
    const file = join(dir, `${pid}`);
    // In a pid namespace it does not know its pid as we do.
    if (process.env["TEST_ISOLATION"] !== "contained") {
      await until(() => existsSync(file) && readFileSync(file, "utf8") !== "");
      assert.equal(readFileSync(file, "utf8"), `${index}\n`);
    }
    assert.ok(readySince !== null && Math.abs(Date.now() - readySince) < 60_000);
  }
});

test("one that crashes at once is started burst times, and then has failed, with its reports", async (t) => {
  await using pool = new ProcessPool();
  let spawned = 0;
  pool.on("spawn", () => spawned++);
  const restarts: number[] = [];
  pool.on("restart", ({ service, restarts: count, delay, waited }) => {
    assert.equal(service, "service");
    assert.ok(waited >= delay, `${waited} ms instead of ${delay}`);
    restarts.push(count);
  });
  const published: unknown[] = [];
  const listener = (message: unknown): void => void published.push(message);
  subscribe("pidpool:restart", listener);
  t.after(() => unsubscribe("pidpool:restart", listener));
  const startLimit = { burst: 4, interval: 60_000 };
  const service = script(pool, "exit 7", { restart: { backoff: { initial: 5 }, startLimit } });
  const error = await failure(service);
  assert.ok(error instanceof ServiceError);
  assert.equal(error.code, "ERR_SERVICE_FAILED");
  assert.equal(error.service, "service");
  assert.match(
    error.message,
    /^service "service": replica 0 exited with code 7 and was started 4 times within 60000 ms$/,
  );
  assert.deepEqual(
    error.reports.map(({ result, report }) => [result, report?.status === "exited" && report.code]),
    Array.from({ length: 4 }, () => ["exit-code", 7]),
  );
  assert.deepEqual(service.reports, error.reports);
  assert.equal(service.state, "failed");
  assert.equal(spawned, 4);
  assert.deepEqual(restarts, [1, 2, 3]);
  assert.deepEqual(
    (published as RestartMessage[]).map(({ service: name, replica, end, restarts: count }) => [
      name,
      replica,
      end.report,
      count,
    ]),
    error.reports.slice(0, 3).map(({ report }, i) => ["service", 0, report, i + 1]),
  );
  assert.equal(service.replicas[0]?.lastEnd, error.reports[3]);
});

test("of a replica that has given up, the others go on, and start() begins anew", async (t) => {
  const mark = join(tempDir(t), "good");
  await using pool = new ProcessPool();
  const text = `[ $PIDPOOL_REPLICA = 1 ] && [ ! -e '${mark}' ] && exit 1; exec sleep 1000`;
  const service = script(pool, text, { replicas: 2, restart: { startLimit: { burst: 1 } } });
  await Promise.all([failure(service), becomes(service, "ready")]);
  assert.equal(service.state, "degraded");
  const first = pidOf(service);
  await pool.run("touch", [mark]);
  await service.start();
  assert.equal(service.state, "ready");
  assert.equal(pidOf(service), first);
});

test("a program that is missing is an unclean end: policy and limit hold, and ready tells", async () => {
  await using pool = new ProcessPool();
  const restart = { backoff: { initial: 1 }, startLimit: { burst: 3 } };
  const missing = pool.service({ name: "missing", file: "/no/such/program", restart });
  const error = await rejection(missing.ready, ServiceError);
  assert.equal(error.reports.length, 3);
  const end = error.reports[2];
  assert.deepEqual([end?.result, end?.report], ["exit-code", null]);
  assert.ok(end?.error instanceof LaunchError && end.error.errno === "ENOENT");
  assert.equal(error.cause, end.error);
  for (const policy of ["no", "on-abnormal"] as const) {
    const service = pool.service({ name: policy, file: "/no/such/program", restart: policy });
    assert.equal((await rejection(service.ready, ServiceError)).reports.length, 1);
    assert.equal(service.state, "failed");
  }
});

test("a clean end under on-failure is an exit, and no failure", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, "exit 0");
  service.on("failed", (error) => assert.fail(error));
  await turns(service, "exited");
  assert.equal(service.replicas[0]?.state, "exited");
  assert.equal(service.reports[0]?.result, "success");
});

test("stop() ends the process by its signal and resolves when it is gone", async (t) => {
  const mark = join(tempDir(t), "mark");
  await using pool = new ProcessPool();
  const text = `trap "echo bye > '${mark}'; exit 3" INT; while :; do sleep 0.01; done`;
  const service = script(pool, text, { stopSignal: "SIGINT", restart: "always", ready: { probe: () => true } });
  await service.ready;
  const pid = pidOf(service);
  // The trap is there once the shell sleeps in its loop.
  await until(() => childPids(pid).length > 0);
  await service.stop();
  assert.equal(service.state, "stopped");
  assert.equal(isAlive(pid), false);
  assert.equal(readFileSync(mark, "utf8"), "bye\n");
  const end = service.reports[0];
  assert.equal(end?.report?.reason, "shutdown");
  assert.equal(service.reports.length, 1);
});

test("what does not heed stopSignal is killed after stopTimeout, with all that it has started", async (t) => {
  const dir = tempDir(t);
  await using pool = new ProcessPool({ isolation: "none" });
  // One grandchild has left the session; both ignore SIGTERM.
  const text = `trap '' TERM; setsid sh -c 'echo $$ > "${dir}/a"; exec sleep 1000' & sleep 1000 & echo $! > '${dir}/b'
    while :; do sleep 0.01; done`;
  const service = script(pool, text, { stopTimeout: 50 });
  await service.ready;
  const read = (name: string): string => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8") : "");
  await until(() => ["a", "b"].every((name) => read(name).endsWith("\n")));
  const pids = [pidOf(service), Number(read("a")), Number(read("b"))];
  assert.deepEqual(pids.map(isAlive), [true, true, true]);
  await service.stop();
  const report = service.reports[0]?.report;
  assert.equal(report?.status === "signaled" && report.signal, "SIGKILL");
  await until(() => !pids.some(isAlive));
});

test("replicas that are killed together each take what they have started along, in sessions of their own too", async (t) => {
  const dir = tempDir(t);
  await using pool = new ProcessPool({ isolation: "none" });
  const started = `setsid sh -c "echo \\$\\$ > '${dir}'/$PIDPOOL_REPLICA; exec sleep 1000" &`;
  const text = `trap '' TERM; ${started} while :; do sleep 0.01; done`;
  const service = script(pool, text, { replicas: 3, stopTimeout: 50 });
  const read = (index: number): string => {
    const file = join(dir, `${index}`);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };
  const all = [0, 1, 2];
  await until(() => all.every((index) => read(index) !== ""));
  await service.stop();
  await until(() => all.every((index) => !isAlive(Number(read(index)))));
});

test("what a crashed process leaves in its group does not outlive it", async (t) => {
  const dir = tempDir(t);
  await using pool = new ProcessPool({ isolation: "none" });
  const text = `trap '' TERM; sleep 1000 & echo $! > '${dir}/pid'; kill -KILL $$`;
  const service = script(pool, text, { restart: "no" });
  await failure(service);
  const grandchild = Number(readFileSync(join(dir, "pid"), "utf8"));
  await until(() => !isAlive(grandchild));
});

test("a stop that was asked for never restarts, whatever the state", async () => {
  await using pool = new ProcessPool();
  const waiting = script(pool, "exit 1", { restart: { backoff: { initial: 1_000_000, max: 1_000_000 } } });
  await becomes(waiting, "backoff");
  await waiting.stop();
  assert.equal(waiting.state, "stopped");
  const launching = script(pool, "exec sleep 1000", { restart: "always" });
  const { ready } = launching;
  await launching.stop();
  assert.equal(launching.state, "stopped");
  await rejection(ready, ServiceError);
  await launching.stop();
  assert.equal(childPids().length, 0);
});

test("who hears of an end may stop, start or restart the service there and then", async () => {
  await using pool = new ProcessPool();
  const restart = { policy: "always", backoff: { initial: 1 } } as const;
  const stopped = script(pool, "exit 1", { name: "stopped", restart });
  stopped.on("exit", () => void stopped.stop());
  await turns(stopped, "stopped");
  const again = script(pool, "exit 1", { name: "again", restart: "no" });
  let ends = 0;
  again.on("exit", () => {
    if (++ends < 3) void again.restart();
  });
  await failure(again);
  assert.equal(ends, 3);
});

test("a listener that throws leaves the service as it should be", async () => {
  const { code, stdout, stderr } = await startFixture("service", ["listener-throws"]).ended;
  assert.deepEqual([code, stdout], [0, "from a listener\nready after 1 restart\n"], stderr);
});

test("listeners that throw, of all events, keep no call from its work", async () => {
  const { code, stdout, stderr } = await startFixture("service", ["listeners-throw"]).ended;
  assert.deepEqual([code, stdout], [0, "3 ready\n2 restarted\n1 left\nstopped\nclosed\n"], stderr);
});

test("what a listener asks for comes after what it hears of, whatever it hears of", async () => {
  const restart = { policy: "always", backoff: { initial: 1 } } as const;
  for (const event of ["replica", "state", "ready", "exit", "restart"] as const) {
    await using pool = new ProcessPool();
    const service = script(pool, "exec sleep 1000", { replicas: 3, restart });
    let stopped: Promise<void> | undefined;
    service.on(event, () => {
      stopped ??= service.stop();
    });
    service.ready.then(
      () => process.kill(pidOf(service, 1), "SIGKILL"),
      () => {},
    );
    await turns(service, "stopped");
    await stopped;
    assert.ok(
      service.replicas.every(({ state }) => state === "stopped"),
      event,
    );
    assert.equal(childPids().length, 0, event);
  }
});

test("listeners hear of states in their order, though some of them change them", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, "exec sleep 1000");
  const heard: string[] = [];
  service.once("ready", () => void service.stop());
  service.on("state", (state, before) => {
    if (state === "ready") void service.restart();
    heard.push(`${before} ${state}`);
  });
  await turns(service, "stopped");
  assert.deepEqual(heard, ["starting ready", "ready starting", "starting stopping", "stopping stopped"]);
});

test("nothing brings back a service of a pool that is closed", async () => {
  const pool = new ProcessPool();
  const service = script(pool, "exec sleep 1000", {
    restart: { policy: "always", backoff: { initial: 1 }, startLimit: { burst: Infinity } },
  });
  await service.ready;
  const closed = pool.close();
  for (const call of [service.start(), service.restart()]) {
    const error = await rejection(call, Error);
    assert.equal((error as PidpoolError).code, "ERR_CLOSED");
  }
  await closed;
  assert.equal(service.state, "stopped");
});

test("start() of a replica that waits to be restarted starts it at once, and waits until it is ready", async (t) => {
  const mark = join(tempDir(t), "mark");
  await using pool = new ProcessPool();
  const service = script(pool, `[ -e '${mark}' ] || { : > '${mark}'; exit 1; }; exec sleep 1000`, {
    restart: { backoff: { initial: 1_000_000, max: 1_000_000 } },
  });
  const restarts: unknown[] = [];
  service.on("restart", (info) => restarts.push(info));
  await becomes(service, "backoff");
  await service.start();
  assert.equal(service.state, "ready");
  // It was asked for, and so is no restart: that would have come before its delay was over.
  assert.deepEqual(restarts, []);
});

test("Node ends with a service that is unref()ed, and waits for one that is not", async () => {
  const away = await startFixture("service", ["unref"]).ended;
  assert.deepEqual([away.code, away.stdout], [0, ""], away.stderr);
  const asked = await startFixture("service", ["unref-asked"]).ended;
  assert.deepEqual([asked.code, asked.stdout], [0, ""], asked.stderr);
  const waits = await startFixture("service", ["unref-stop"]).ended;
  assert.deepEqual([waits.code, waits.stdout], [0, "closed\n"], waits.stderr);
  // Neither a process nor a listener keeps it alive while it waits to be restarted.
  const backoff = await startFixture("service", ["backoff"]).ended;
  assert.deepEqual([backoff.code, backoff.stdout], [0, "restarted\n"], backoff.stderr);
});

test("names are unique among the services that are not idle", async () => {
  await using pool = new ProcessPool();
  const first = script(pool, "exec sleep 1000");
  assert.throws(() => script(pool, "exec sleep 1000"), InvalidOptionError);
  await first.stop();
  const second = script(pool, "exec sleep 1000");
  await second.ready;
  const error = await rejection(first.start(), InvalidOptionError);
  assert.equal(error.option, "name");
  await second.stop();
  await first.start();
  assert.equal(first.state, "ready");
});

test("close() stops services gracefully and waits; destroy() kills them", async (t) => {
  const mark = join(tempDir(t), "mark");
  const text = `trap "sleep 0.05; echo bye > '${mark}'; exit 0" TERM; : > '${mark}'; while :; do sleep 0.01; done`;
  {
    const pool = new ProcessPool();
    const service = script(pool, text, { restart: "always" });
    const idle = script(pool, "exit 1", { name: "idle", restart: { backoff: { initial: 1e6, max: 1e6 } } });
    await becomes(idle, "backoff");
    await until(() => existsSync(mark));
    await pool.close();
    assert.equal(readFileSync(mark, "utf8"), "bye\n");
    assert.deepEqual([service.state, idle.state], ["stopped", "stopped"]);
    assert.equal((await rejection(service.start(), Error)).message, "the pool is closed");
    assert.throws(() => script(pool, "true"), { code: "ERR_CLOSED" });
  }
  await using pool = new ProcessPool();
  const stubborn = script(pool, "trap '' TERM; while :; do sleep 0.01; done", { stopTimeout: Infinity, replicas: 2 });
  await stubborn.ready;
  await pool.destroy();
  assert.equal(stubborn.state, "stopped");
  assert.equal(childPids().length, 0);
});

test("escalate stops the whole service, and the pool says so", async () => {
  await using pool = new ProcessPool();
  const told = new Promise<PidpoolError>((resolve) => pool.once("error", resolve));
  const service = script(pool, "[ $PIDPOOL_REPLICA = 0 ] && exit 1; exec sleep 1000", {
    replicas: 3,
    restart: { startLimit: { burst: 1, action: "escalate" } },
  });
  const error = await told;
  assert.equal(error.code, "ERR_SERVICE_FAILED");
  assert.equal(service.state, "failed");
  assert.deepEqual(
    service.replicas.map(({ state }): ReplicaState => state),
    ["failed", "stopped", "stopped"],
  );
  assert.equal(childPids().length, 0);
});

test("an overseer hears of ends that ask for a restart, and of an escalation", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, "exit 1", {
    restart: { backoff: { initial: 1 }, startLimit: { burst: 3, action: "escalate" } },
  });
  let asked = 0;
  const failed = new Promise<PidpoolError>((resolve) => {
    service.overseer = {
      ended: (part, report) => {
        assert.equal(part, service);
        assert.equal(report?.status, "exited");
        if (++asked !== 1) return false;
        // As a group does: all of it anew.
        void service.stop().then(() => service.start());
        return true;
      },
      failed: (_part, error) => resolve(error),
    };
  });
  const error = await failed;
  assert.equal(error.code, "ERR_SERVICE_FAILED");
  // Handed over once, and then two restarts within the limit of three starts.
  assert.equal(asked, 3);
  assert.equal(service.state, "failed");
});

test("await using stops a service", async () => {
  await using pool = new ProcessPool();
  let pid: number;
  {
    await using service = script(pool, "exec sleep 1000");
    await service.ready;
    pid = pidOf(service);
  }
  assert.equal(isAlive(pid), false);
});

test("the last 20 ends are kept", async () => {
  await using pool = new ProcessPool();
  const service = script(pool, "exit 1", {
    restart: { backoff: { initial: 0 }, startLimit: { burst: 25, interval: 60_000 } },
  });
  const error = await failure(service);
  assert.equal(error.reports.length, 20);
});
