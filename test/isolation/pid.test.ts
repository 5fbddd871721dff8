// Pid namespaces: a child's own, and the pool's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessPool } from "pidpool";
import { daemons, endMarked, markedPids, newMark } from "../helpers/marked.ts";
import { allChildPids, guardianPids, openFds, until } from "../helpers/processes.ts";
import { said } from "../helpers/wait.ts";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

const OWN = { pid: "private", mount: true } as const;

test(
  "a pid namespace of its own: the program is the second in it, after an init that reaps",
  { skip: refused },
  async () => {
    await using pool = new ProcessPool({ isolation: OWN });
    const { stdout, pid } = await pool.run("sh", ["-c", "echo $$ $PPID; cat /proc/1/comm"]);
    assert.equal(stdout, "2 0\npidpool-guardia\n");
    assert.notEqual(pid, 2);
  },
);

test("orphans inside are reaped: no zombie stays", { skip: refused }, async () => {
  await using pool = new ProcessPool({ isolation: OWN });
  // Until all orphans are gone: a zombie would stay for ever.
  const script = `for i in 1 2 3 4 5; do (setsid sh -c 'exit 3' &); done
while [ "$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ' (sh) Z ')" != 0 ]; do sleep 0.01; done; echo none`;
  assert.equal((await pool.run("sh", ["-c", script])).stdout, "none\n");
});

test("exit codes and signals come through as they are", { skip: refused }, async () => {
  await using pool = new ProcessPool({ isolation: OWN, check: false });
  for (const code of [0, 1, 127, 255]) {
    const { exit } = await pool.run("sh", ["-c", `exit ${code}`]);
    assert.deepEqual([exit.status, exit.status === "exited" && exit.code, exit.reason], ["exited", code, "exit"]);
  }
  for (const signal of ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGUSR1"]) {
    const { exit } = await pool.run("sh", ["-c", `kill -${signal.slice(3)} $$`]);
    assert.deepEqual([exit.status === "signaled" && exit.signal, exit.reason], [signal, "signal"]);
  }
});

for (const isolation of ["contained", OWN] as const) {
  const name = JSON.stringify(isolation);

  test(`${name}: SIGTERM ends an ordinary program`, { skip: refused }, async () => {
    await using pool = new ProcessPool({ isolation });
    const child = await pool.spawn("sleep", ["1000"], { stdio: "ignore" });
    assert.equal(child.kill(), true);
    const exit = await child.exited;
    assert.equal(exit.status === "signaled" && exit.signal, "SIGTERM");
    assert.equal(exit.reason, "signal");
  });

  test(`${name}: no daemon outlives close()`, { skip: refused }, async (t) => {
    const mark = newMark();
    t.after(() => endMarked(mark));
    const pool = new ProcessPool({ isolation });
    await pool.run("sh", ["-c", daemons("sleep 0.05")], { env: { ...process.env, ...mark } });
    await pool.close();
    assert.deepEqual(markedPids(mark), []);
    assert.deepEqual(allChildPids(), []);
  });

  test(`${name}: no daemon outlives destroy()`, { skip: refused }, async (t) => {
    const mark = newMark();
    t.after(() => endMarked(mark));
    const pool = new ProcessPool({ isolation });
    const child = await pool.spawn("sh", ["-c", daemons("echo up; exec sleep 1000")], {
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, ...mark },
    });
    await said(child.stdout, "up");
    await until(() => markedPids(mark).length >= 5);
    await pool.destroy();
    assert.deepEqual(markedPids(mark), []);
    assert.deepEqual(allChildPids(), []);
  });
}

test(
  "a pid namespace of its own: the whole tree has ended before the exit is reported",
  { skip: refused },
  async (t) => {
    const mark = newMark();
    t.after(() => endMarked(mark));
    await using pool = new ProcessPool({ isolation: { pid: "private" } });
    for (let i = 0; i < 5; i++) {
      const child = await pool.spawn("sh", ["-c", daemons("echo up; exec sleep 1000")], {
        stdio: ["ignore", "pipe", "ignore"],
        env: { ...process.env, ...mark },
      });
      await said(child.stdout, "up");
      await until(() => markedPids(mark).length >= 5);
      child.kill("SIGTERM");
      await child.exited;
      assert.deepEqual(markedPids(mark), []);
    }
  },
);

test('"shared": a daemon may outlive the pool', { skip: refused }, async (t) => {
  const mark = newMark();
  t.after(() => endMarked(mark));
  const pool = new ProcessPool({ isolation: "shared" });
  await pool.run("sh", ["-c", daemons("sleep 0.05")], { env: { ...process.env, ...mark }, outputGrace: 0 });
  await until(() => markedPids(mark).length >= 4);
  await pool.close();
  assert.ok(markedPids(mark).length >= 4);
});

test(
  "many pid namespaces at once: each ends with its child, and leaves no process and no fd",
  { skip: refused },
  async () => {
    await using pool = new ProcessPool({ isolation: { pid: "private" }, concurrency: 16, threads: 1 });
    await pool.run("true");
    const before = openFds().length;
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, i) => pool.run("sh", ["-c", `echo $$; exit ${i % 2}`], { check: false })),
    );
    assert.deepEqual(new Set(results.map(({ stdout }) => stdout)), new Set(["2\n"]));
    // Not "in the end": with the report of the last one all guardians are reaped.
    assert.deepEqual(guardianPids(), []);
    await until(() => openFds().length <= before);
  },
);
