import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { InvalidOptionError, PidpoolError, type Process } from "pidpool";
import { isAlive, stateOf, until } from "../helpers/processes.ts";
import { said } from "../helpers/wait.ts";
import { ProcessPool } from "../helpers/pool.ts";

const QUIET = { stdio: "ignore" } as const;

test("kill() sends SIGTERM by default, or any signal by name or number", async () => {
  await using pool = new ProcessPool();
  for (const [signal, name] of [
    [undefined, "SIGTERM"],
    ["SIGINT", "SIGINT"],
    [9, "SIGKILL"],
    [34, "SIGRTMIN+0"],
  ] as const) {
    const child = await pool.spawn("sleep", ["1000"], QUIET);
    assert.equal(child.kill(signal), true);
    const exit = await child.exited;
    assert.equal(exit.status === "signaled" && exit.signal, name);
    assert.equal(exit.reason, "signal");
  }
});

test("kill() returns false once the child is gone", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("true", [], QUIET);
  await child.exited;
  assert.equal(child.kill(), false);
  assert.equal(child.kill("SIGKILL"), false);
  assert.equal(child.kill(0), false);
});

test("kill() says that a child is there also while the pool itself is sending it a signal", async () => {
  await using pool = new ProcessPool({ threads: 1 });
  for (let i = 0; i < 20; i++) {
    const stop = new AbortController();
    await using child = await pool.spawn("sh", ["-c", "trap '' USR1; echo ready; exec sleep 1000"], {
      stdio: ["ignore", "pipe", "ignore"],
      signal: stop.signal,
      killSignal: "SIGUSR1",
    });
    await said(child.stdout, "ready");
    stop.abort();
    // The other thread sends it within this time, mostly; the two then meet.
    for (const end = performance.now() + 2; performance.now() < end;) assert.equal(child.kill(0), true);
  }
});

test("kill(0) asks whether the child is there and does nothing to it", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("cat", [], { stdio: ["pipe", "ignore", "ignore"] });
  assert.equal(child.kill(0), true);
  assert.equal(isAlive(child.pid), true);
  child.stdin.end();
  assert.equal((await child.exited).reason, "exit");
});

test("a stopped child stays a child, and SIGCONT lets it go on", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const child = await pool.spawn("cat", [], { stdio: ["pipe", "capture", "ignore"] });
  child.kill("SIGSTOP");
  await until(() => stateOf(child.pid) === "T");
  child.stdin.end("text");
  child.kill("SIGCONT");
  assert.equal((await child.result).stdout, "text");
});

/** A shell with a sleeping child of its own, whose pid comes first. */
async function family(pool: ProcessPool, session: boolean | "group"): Promise<{ leader: Process; grandchild: number }> {
  const leader = await pool.spawn("sh", ["-c", "sleep 1000 >/dev/null & echo $!; wait"], {
    stdio: ["ignore", "pipe", "ignore"],
    session,
  });
  return { leader, grandchild: Number(await said(leader.stdout, "\n")) };
}

test("kill with group reaches the whole process group of a child that has one", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  for (const session of [true, "group"] as const) {
    const { leader, grandchild } = await family(pool, session);
    assert.equal(isAlive(grandchild), true);
    assert.equal(leader.kill("SIGTERM", { group: true }), true);
    assert.equal((await leader.exited).status, "signaled");
    await until(() => !isAlive(grandchild));
    assert.equal(leader.kill("SIGTERM", { group: true }), false);
  }
});

test("kill without group reaches the child alone", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const { leader, grandchild } = await family(pool, "group");
  leader.kill("SIGKILL");
  await leader.exited;
  assert.equal(isAlive(grandchild), true);
  process.kill(grandchild, "SIGKILL");
});

test("kill with group is refused for a child without a group of its own", async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const child = await pool.spawn("sleep", ["1000"], QUIET);
  assert.throws(
    () => child.kill("SIGTERM", { group: true }),
    (error) => error instanceof PidpoolError && error.code === "ERR_INVALID_OPTION" && /session/.test(error.message),
  );
  assert.equal(isAlive(child.pid), true);
});

test("a signal that does not exist is refused, and nothing is sent", async () => {
  await using pool = new ProcessPool();
  const child = await pool.spawn("sleep", ["1000"], QUIET);
  for (const signal of ["SIGNONE", "TERM", "sigterm", "", -1, 65, 1.5, NaN, null, {}, true]) {
    assert.throws(
      () => child.kill(signal as never),
      (error) =>
        error instanceof InvalidOptionError &&
        error.code === "ERR_INVALID_OPTION" &&
        error.option === "signal" &&
        Object.is(error.value, signal),
      inspect(signal),
    );
  }
  assert.equal(isAlive(child.pid), true);
});

test("await using ends a child that is still there, and leaves one that is not", async () => {
  await using pool = new ProcessPool();
  let first: Process;
  let second: Process;
  {
    await using living = await pool.spawn("sleep", ["1000"], QUIET);
    await using gone = await pool.spawn("true", [], QUIET);
    await gone.exited;
    [first, second] = [living, gone];
  }
  assert.equal(first.exit?.status === "signaled" && first.exit.signal, "SIGTERM");
  assert.equal(second.exit?.reason, "exit");
});

test("await using ends with SIGKILL, after killAfter, a child that ignores SIGTERM", async () => {
  await using pool = new ProcessPool();
  let child: Process;
  {
    await using stubborn = await pool.spawn("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"], {
      stdio: ["ignore", "pipe", "inherit"],
      killAfter: 30,
    });
    await said(stubborn.stdout, "ready");
    child = stubborn;
  }
  assert.equal(child.exit?.status === "signaled" && child.exit.signal, "SIGKILL");
});
