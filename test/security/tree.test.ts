// What a hostile child can do to live on when its owner has ended, or wants it to.
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "../helpers/isolated.ts";
import { ProcessPool } from "pidpool";
import { givenGroup, noCgroups } from "../helpers/cgroups.ts";
import { startFixture } from "../helpers/fixture.ts";
import { hasCommands, isAlive, killAll, until } from "../helpers/processes.ts";

const noPython = !hasCommands("python3") && "python3 is not installed";

const OUTLIVE = ["none", "shared", "private"] as const;
const DIE = ["contained", { pid: "private" }] as const;

test(
  "a child that asks not to die with this process lives on, unless it is in a pid namespace of the pool's or its own",
  {
    skip: noPython,
  },
  async (t) => {
    const fixture = startFixture(
      "outlive",
      [...OUTLIVE, ...DIE].map((isolation) => JSON.stringify(isolation)),
    );
    const pids = (await fixture.line()).split(" ").map(Number);
    assert.equal(pids.length, OUTLIVE.length + DIE.length);
    t.after(() => killAll(pids));
    fixture.process.kill("SIGKILL");
    await new Promise((resolve) => fixture.process.once("exit", resolve));
    // What dies with its parent has the signal before that can be reaped.
    await until(() => !pids.slice(OUTLIVE.length).some(isAlive));
    for (const [i, isolation] of OUTLIVE.entries()) assert.ok(isAlive(pids[i] ?? 0), isolation);
  },
);

test(
  "a child of the user that owns its cgroup moves out of it, and what it leaves lives on; another user's does not",
  {
    skip: noCgroups,
  },
  async (t) => {
    const cgroup = await givenGroup(t);
    await using pool = new ProcessPool({ cwd: "/" });
    const elsewhere = join(dirname(cgroup), "cgroup.procs");
    const script = `echo $$ >${elsewhere} && echo moved; sleep 1000 </dev/null >/dev/null 2>&1 & echo $!`;
    const escape = async (options: object): Promise<[moved: boolean, pid: number]> => {
      const { stdout } = await pool.run("sh", ["-c", script], {
        cgroup,
        ...options,
        stdio: "capture",
        encoding: "utf8",
      });
      const pid = Number(/\d+/.exec(stdout)?.[0]);
      t.after(() => killAll([pid]));
      return [stdout.includes("moved"), pid];
    };
    const [moved, pid] = await escape({});
    if (!moved) return t.skip("this user may not move processes there");
    assert.ok(isAlive(pid));
    if (process.getuid?.() === 0) {
      const [left, theirs] = await escape({ uid: 65534, gid: 65534 });
      assert.deepEqual([left, isAlive(theirs)], [false, false]);
    }
    const [kept, locked] = await escape({ filesystem: { execute: ["/"], readWrite: ["/dev/null"] } });
    return assert.deepEqual([kept, isAlive(locked)], [false, false]);
  },
);
