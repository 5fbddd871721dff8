// Every policy and every kind of end, with real processes, against systemd's
// table.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Service, ServiceOptions } from "pidpool";
import { tempDir } from "../../helpers/files.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { POLICIES, RESTARTS } from "../../helpers/systemd.ts";

type Row = keyof typeof RESTARTS;

/** How a process ends, which row of the table that is, and what a service says about it. */
const ENDS: readonly { end: string; row: Row; result: RegExp; script: string; options?: Partial<ServiceOptions> }[] = [
  { end: "exit 0", row: "clean exit code or signal", result: /^success$/, script: "exit 0" },
  { end: "exit 1", row: "unclean exit code", result: /^exit-code$/, script: "exit 1" },
  { end: "SIGTERM", row: "clean exit code or signal", result: /^success$/, script: "kill -TERM $$" },
  { end: "SIGSEGV", row: "unclean signal", result: /^(signal|core-dump)$/, script: "kill -SEGV $$" },
  { end: "abort", row: "unclean signal", result: /^(signal|core-dump)$/, script: "kill -ABRT $$" },
  { end: "timeout", row: "timeout", result: /^timeout$/, script: "exec sleep 1000", options: { timeout: 100 } },
  {
    end: "watchdog",
    row: "watchdog",
    result: /^watchdog$/,
    script: "systemd-notify READY=1; exec sleep 1000",
    options: { ready: "notify", watchdog: 300 },
  },
  {
    end: "health",
    row: "watchdog",
    result: /^watchdog$/,
    script: "exec sleep 1000",
    options: { health: { probe: () => false, interval: 1, threshold: 2 } },
  },
];

/** Resolves once the first process has ended, and it is decided what follows. */
async function decided(service: Service): Promise<"restart" | "exited" | "failed"> {
  return new Promise((resolve) => {
    service.once("restart", () => resolve("restart"));
    service.on("replica", ({ state }) => {
      if (state === "exited" || state === "failed") resolve(state);
    });
  });
}

for (const { end, row, result, script, options } of ENDS) {
  test(`after ${end}, each policy does what systemd's does`, async (t) => {
    const dir = tempDir(t);
    await using pool = new ProcessPool();
    const outcomes = POLICIES.map(async (policy) => {
      const mark = join(dir, policy);
      const service = pool.service({
        ...options,
        name: `${policy} ${end}`,
        file: "sh",
        // The second process stays.
        args: ["-c", `[ -e '${mark}' ] && exec sleep 1000; : > '${mark}'; ${script}`],
        restart: { policy, backoff: { initial: 1 }, startLimit: { burst: Infinity } },
      });
      const outcome = await decided(service);
      assert.match(service.reports[0]?.result ?? "", result, policy);
      await service.stop();
      return outcome;
    });
    const expected = RESTARTS[row].map((cell) => {
      return cell === "X" ? "restart" : row === "clean exit code or signal" ? "exited" : "failed";
    });
    assert.deepEqual(await Promise.all(outcomes), expected);
  });
}
