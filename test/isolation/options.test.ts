// Wrong options name what is wrong; a machine that refuses says why and what helps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidOptionError, IsolationError, ProcessPool, type LaunchOptions } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { startFixture } from "../helpers/fixture.ts";
import { hasCommands } from "../helpers/processes.ts";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

const WRONG: readonly (readonly [option: string, isolation: unknown, more?: LaunchOptions])[] = [
  ["isolation", "strict"],
  ["isolation", 1],
  ["isolation", null],
  ["isolation", []],
  ["isolation", "toString"],
  ["isolation.netwrok", { netwrok: "private" }],
  ["isolation.network", { network: "none" }],
  ["isolation.network", { network: true }],
  ["isolation.user", { user: 1 }],
  ["isolation.pid", { pid: null }],
  ["isolation.ipc", { ipc: "private" }],
  ["isolation.loopback", { loopback: true }],
  ["isolation.loopback", { loopback: true, network: "shared" }],
  ["isolation.hostname", { hostname: "" }],
  ["isolation.hostname", { hostname: "a\0b" }],
  ["isolation.hostname", { hostname: "x".repeat(65) }],
  ["isolation.hostname", { hostname: 1 }],
  ["isolation.uts", { hostname: "x", uts: false }],
  ["isolation.user", { user: "private", pid: "shared" }],
  ["isolation.user", { user: "host", pid: "shared" }],
  ["isolation.user", { user: "private", network: "shared" }],
  ["isolation.user", { user: "shared", pid: "private" }],
  ["isolation.mapUid", { mapUid: 0 }],
  ["isolation.mapUid", { mapUid: -1, user: "private" }],
  ["isolation.mapGid", { mapGid: 1.5, user: "private" }],
  ["isolation.capabilities", { capabilities: "CAP_KILL" }],
  ["isolation.capabilities[1]", { capabilities: ["CAP_KILL", "KILL"] }],
  ["isolation.noNewPrivileges", { noNewPrivileges: 1 }],
  ["isolation.mount", { mount: "tmp" }],
  ["isolation.mount.tpm", { mount: { tpm: true } }],
  ["isolation.mount.tmp", { mount: { tmp: 1 } }],
  ["isolation.mount.proc", { mount: { proc: true } }],
  ["isolation.mount.readOnly", { mount: { readOnly: "/" } }],
  ["isolation.mount.readOnly[0]", { mount: { readOnly: ["usr"] } }],
  ["isolation.mount.readWrite", { mount: { readOnly: ["/usr"], readWrite: ["/usr/"] } }],
  ["orphans", "contained", { orphans: "keep" }],
  ["orphans", { pid: "private" }, { orphans: "keep" }],
];

for (const [option, isolation, more] of WRONG) {
  test(`${JSON.stringify({ isolation, ...more })} is refused, and names ${option}`, async () => {
    await using pool = new ProcessPool();
    const options = { isolation, ...more } as LaunchOptions;
    const error = await rejection(pool.run("true", [], options as object), InvalidOptionError);
    assert.equal(error.option, option);
    assert.ok(error.message.startsWith(`${option} is `), error.message);
    assert.throws(() => pool.command("true", [], options), InvalidOptionError);
  });
}

test(
  "what needs rights that this process lacks: ERR_ISOLATION, with the stage and a remedy",
  { skip: refused },
  async (t) => {
    if (process.getuid?.() === 0) return t.skip("root has the rights");
    await using pool = new ProcessPool();
    for (const [isolation, stage] of [
      [{ user: "host", pid: "private" }, "clone"],
      [{ user: "host", network: "private" }, "unshare"],
      [{ user: "host", mount: true }, "unshare"],
      [{ user: "host", capabilities: ["CAP_KILL"] }, "capabilities"],
    ] as const) {
      const error = await rejection(pool.run("true", [], { isolation }), IsolationError);
      assert.deepEqual([error.code, error.stage, error.errno], ["ERR_ISOLATION", stage, "EPERM"], error.message);
      assert.ok(error.message.endsWith(error.remedy ?? "?"), error.message);
    }
    assert.equal((await pool.run("echo", ["still"])).stdout, "still\n");
  },
);

test("a path of mount that does not exist is said to be missing", { skip: refused }, async () => {
  await using pool = new ProcessPool();
  const run = pool.run("true", [], { isolation: { mount: { readOnly: ["/no/such/path"] } } });
  const error = await rejection(run, IsolationError);
  assert.deepEqual([error.stage, error.errno], ["mount", "ENOENT"]);
  assert.match(error.message, /does not exist/);
});

test("a sysctl that allows no namespaces is named, and each launch fails once", { skip: refused }, async (t) => {
  if (!hasCommands("unshare")) return t.skip("unshare is not installed");
  const { code, stdout, stderr } = await startFixture("no-namespaces", [], ["unshare", "--user", "--map-root-user"])
    .ended;
  if (code === 3) return t.skip(stdout);
  assert.equal(code, 0, stderr);
  const seen = JSON.parse(stdout) as {
    failures: Record<string, string>[];
    failed: number;
    children: number;
    after: string;
  };
  for (const { stage, errno, message, remedy } of seen.failures) {
    assert.deepEqual([stage, errno], ["unshare", "ENOSPC"], message);
    assert.match(message ?? "", /user\.max_net_namespaces is 0/);
    assert.equal(remedy, "sysctl -w user.max_net_namespaces=10000");
  }
  assert.deepEqual([seen.failures.length, seen.failed, seen.children, seen.after], [16, 16, 0, "after\n"]);
});
