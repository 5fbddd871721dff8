// The options notify and watchdog, checked, and what the child's environment
// has of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidOptionError } from "pidpool";
import { resolveSpec } from "#pidpool/process/spec.js";
import { ProcessPool } from "../helpers/pool.ts";

const WRONG: readonly [option: string, options: Record<string, unknown>][] = [
  ["notify", { notify: "yes" }],
  ["notify", { notify: 3 }],
  ["notify", { notify: null }],
  ["notify", { notify: [3] }],
  ["notify.fd", { notify: {} }],
  ["notify.fd", { notify: { fd: 2 } }],
  ["notify.fd", { notify: { fd: 256 } }],
  ["notify.fd", { notify: { fd: 3.5 } }],
  ["notify.socket", { notify: { fd: 3, socket: true } }],
  ["notify.fd", { notify: { fd: 3 }, stdio: ["ignore", "ignore", "ignore", "capture"] }],
  ["watchdog", { watchdog: 100 }],
  ["watchdog", { watchdog: 100, notify: { fd: 3 } }],
  ["watchdog", { watchdog: -1, notify: true }],
  ["watchdog", { watchdog: "1s", notify: true }],
  ["notify", { notify: true, seccomp: "compute" }],
  [
    "notify",
    { notify: true, seccomp: { default: "allow", rules: [{ syscalls: ["socket"], action: { errno: "EPERM" } }] } },
  ],
];

for (const [option, options] of WRONG) {
  test(`refused: ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => resolveSpec("run", "true", [], options),
      (error) => error instanceof InvalidOptionError && error.option === option,
    );
  });
}

for (const options of [
  { notify: false },
  { notify: true, watchdog: 0 },
  { notify: true, watchdog: Infinity },
  { notify: true, seccomp: "default" },
  { notify: { fd: 3 }, seccomp: "compute" },
  { notify: { fd: 7 }, stdio: ["ignore", "ignore", "ignore", "capture"] },
]) {
  test(`taken: ${JSON.stringify(options)}`, () => {
    assert.doesNotThrow(() => resolveSpec("run", "true", [], options));
  });
}

const KINDS = /^(NOTIFY_SOCKET|WATCHDOG_USEC|WATCHDOG_PID)=(.*)$/;

/** The variables of the protocol in a child, and its pid. */
async function variables(options: object): Promise<Record<string, string>> {
  await using pool = new ProcessPool();
  const { stdout, pid } = await pool.run("env", [], { ...options, stdio: "capture", encoding: "utf8" });
  const found = stdout.split("\n").flatMap((line) => KINDS.exec(line)?.slice(1, 3) ?? []);
  const pairs = found.flatMap((name, i) => (i % 2 === 0 ? [[name, found[i + 1] ?? ""]] : []));
  return { ...(Object.fromEntries(pairs) as Record<string, string>), pid: String(pid) };
}

test("what this process was given is not meant for a child with its own", async () => {
  const env = { ...process.env, NOTIFY_SOCKET: "/of/node", WATCHDOG_USEC: "77", WATCHDOG_PID: "1" };
  const own = await variables({ env, notify: true });
  assert.notEqual(own["NOTIFY_SOCKET"], "/of/node");
  assert.equal(own["WATCHDOG_USEC"], undefined);
  assert.equal(own["WATCHDOG_PID"], undefined);
  const watched = await variables({ env, notify: true, watchdog: 60_000 });
  assert.equal(watched["WATCHDOG_USEC"], "60000000");
  assert.equal(watched["WATCHDOG_PID"], watched["pid"]);
});

test("without the option the environment is as it is", async () => {
  const env = { ...process.env, NOTIFY_SOCKET: "/of/node" };
  assert.equal((await variables({ env }))["NOTIFY_SOCKET"], "/of/node");
});

test("each launch of a command has a socket of its own", async () => {
  await using pool = new ProcessPool({ concurrency: 8 });
  const command = pool.command("sh", ["-c", "echo $NOTIFY_SOCKET"], { notify: true });
  const runs = await Promise.all(Array.from({ length: 20 }, () => command.run()));
  assert.equal(new Set(runs.map(({ stdout }) => stdout)).size, 20);
  // A light override shares the encoded block, others make a new one.
  assert.match((await command.run({ timeout: 10_000 })).stdout, /pidpool-notify/);
  assert.match((await command.run({ env: { PATH: process.env["PATH"] } })).stdout, /pidpool-notify/);
  assert.equal((await command.run({ notify: false, env: {} })).stdout, "\n");
});
