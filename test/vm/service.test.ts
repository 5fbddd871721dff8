// Services and notifications of children in cgroups of their own.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ProcessPool, type Service } from "pidpool";
import { groupIn } from "../helpers/cgroups.ts";
import { compile } from "../helpers/compile.ts";
import { tempDir } from "../helpers/files.ts";
import { childPids, isAlive, until } from "../helpers/processes.ts";
import { becomes, failure, mute, pidOf, script } from "../helpers/services.ts";
import { outsideVm } from "../helpers/vm.ts";

const memory = 32 * 2 ** 20;
const HOG = `dd if=/dev/zero of=/dev/null bs=${16 * memory} count=1`;
/** Leaves the session, and the family. */
const DAEMON = "(setsid sleep 1000 >/dev/null 2>&1 &)";

/** The cgroup of a replica's process. */
function groupOf(service: Service): string {
  return groupIn(readFileSync(`/proc/${pidOf(service)}/cgroup`, "latin1"));
}

describe("services in cgroups", { skip: outsideVm }, () => {
  test("one that needs more memory than it may ends with oom-kill, is restarted, and gives up", async () => {
    await using pool = new ProcessPool();
    const service = script(pool, `exec ${HOG}`, {
      limits: { memory },
      restart: { policy: "on-abnormal", backoff: { initial: 1 }, startLimit: { burst: 2, interval: 1_000_000 } },
    });
    const { reports } = await failure(service);
    assert.deepEqual(
      reports.map(({ result, report }) => [result, report?.reason, (report?.cgroup?.oomKills ?? 0) > 0]),
      [
        ["oom-kill", "memory-limit", true],
        ["oom-kill", "memory-limit", true],
      ],
    );
  });

  test("a stop takes along what has left session and family, and the group", async (t) => {
    const mark = join(tempDir(t), "mark");
    await using pool = new ProcessPool();
    const service = script(pool, `${DAEMON}; : > '${mark}'; exec sleep 1000`, { limits: { pids: 20 } });
    await service.ready;
    await until(() => existsSync(mark));
    const group = groupOf(service);
    const members = readFileSync(join(group, "cgroup.procs"), "latin1").trim().split("\n").map(Number);
    assert.equal(members.length, 2);
    await service.stop();
    assert.deepEqual([members.some(isAlive), existsSync(group)], [false, false]);
    assert.equal(service.reports[0]?.report?.cgroup?.pidsMet, 0);
  });

  test("so does a crash, before the restart", async () => {
    await using pool = new ProcessPool({ limits: { pids: 20 } });
    const service = script(pool, `${DAEMON}; exec sleep 1000`, {
      restart: { policy: "always", backoff: { initial: 1 } },
    });
    await service.ready;
    const group = groupOf(service);
    let left: boolean | undefined;
    service.once("exit", () => (left = existsSync(group)));
    const restarted = new Promise((resolve) => service.once("restart", resolve));
    process.kill(pidOf(service), "SIGKILL");
    await restarted;
    await becomes(service, "ready");
    assert.equal(left, false);
    assert.notEqual(groupOf(service), group);
    await pool.destroy();
    assert.deepEqual(childPids(), []);
  });

  test("readiness, status and watchdog of what lives in the group", { skip: mute }, async () => {
    await using pool = new ProcessPool();
    const service = script(pool, "systemd-notify READY=1 STATUS=serving; exec sleep 1000", {
      limits: { pids: 20 },
      ready: "notify",
      watchdog: 3000,
      restart: "no",
    });
    await service.ready;
    const { reports } = await failure(service);
    assert.deepEqual(
      reports.map(({ result, report }) => [result, report?.reason, report?.message]),
      [["watchdog", "watchdog", "serving"]],
    );
  });

  test("one who has left session and family is heard, since it is in the group", async (t) => {
    const speaker = compile("speak");
    if (speaker.unavailable !== false) return t.skip(speaker.unavailable);
    await using pool = new ProcessPool();
    const service = pool.service({
      name: "service",
      file: "sh",
      // Its stdin stays open; the speaker waits until it was heard, since nobody knows who it was once it has ended.
      args: ["-c", 'sleep 1000 | "$0" "$@"', speaker.file, "@orphan", "READY=1\nSTATUS=from afar", "@fd"],
      limits: { pids: 20 },
      ready: "notify",
    });
    await service.ready;
    assert.equal(service.replicas[0]?.status, "from afar");
    await service.stop();
  });
});
