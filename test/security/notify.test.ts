// Who can speak in a child's name, or keep it from being heard.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "../helpers/isolated.ts";
import { ProcessPool, type Process, type RunOptions, type SpawnOptions } from "pidpool";
import { compile } from "../helpers/compile.ts";
import { said } from "../helpers/wait.ts";

const { file = "", unavailable } = compile("speak") as { file?: string; unavailable: string | false };
const needsRoot = process.getuid?.() !== 0 && "needs root, to make processes of several users";

/** A child that says one thing and waits. Resolves when it was said. */
async function victim(pool: ProcessPool, options: SpawnOptions): Promise<Process> {
  const child = await pool.spawn(file, ["STATUS=mine", "@print:said", "@wait"], {
    notify: true,
    stdio: ["pipe", "pipe", "inherit"],
    ...options,
  });
  await said(child.stdout as AsyncIterable<Buffer>, "said");
  return child;
}

/** Where its socket is, as everybody can read it who shares this process's network namespace. */
function socketOf(): string {
  const paths = readFileSync("/proc/net/unix", "utf8").match(/\/\S+pidpool-notify-\S+/g) ?? [];
  const own = paths.filter((path) => path.includes(`pidpool-notify-${process.pid}-`));
  assert.equal(own.length, 1, paths.join());
  return own[0] ?? "";
}

test("one that has joined the process group of a child does not speak for it", { skip: unavailable }, async () => {
  // Whatever user it is of: setpgid(2) asks for nothing but the same session.
  await using pool = new ProcessPool({ isolation: "none", cwd: "/" });
  const child = await victim(pool, { session: "group" });
  const attacker = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const words = [`@join:${child.pid}`, "STATUS=forged", "WATCHDOG=trigger"];
  const { stdout } = await pool.run(file, words, { env: { NOTIFY_SOCKET: socketOf() }, ...attacker });
  assert.equal(stdout, "joined\n");
  (child.stdin as NodeJS.WritableStream).end();
  const report = await child.exited;
  assert.deepEqual([report.status, report.reason, report.message], ["exited", "exit", "mine"]);
});

const OTHER = { uid: 12_345, gid: 12_345 } as const;

/** The exit code of another user's process that sends to a child's socket: 0 or 77, where it could not. */
async function stranger(options: SpawnOptions, user: RunOptions = OTHER): Promise<number | null> {
  await using pool = new ProcessPool({ cwd: "/" });
  const child = await victim(pool, options);
  const env = { NOTIFY_SOCKET: socketOf() };
  const attack: RunOptions = { ...user, isolation: "none", env, check: false };
  const { exit } = await pool.run(file, ["STATUS=forged"], attack);
  (child.stdin as NodeJS.WritableStream).end();
  assert.equal((await child.exited).message, "mine");
  return exit.status === "exited" ? exit.code : null;
}

test(
  "another user cannot fill the queue of a child's socket, and so keep its watchdog waiting",
  {
    skip: unavailable || needsRoot,
  },
  async () => {
    for (const isolation of ["shared", "contained", "private", { pid: "private" }] as const) {
      assert.equal(await stranger({ isolation }), 77, JSON.stringify(isolation));
      assert.equal(await stranger({ isolation, uid: 65534, gid: 65534 }), 77, `${JSON.stringify(isolation)} with uid`);
    }
  },
);

test(
  "under none, where a child may become another user, all users can send to its socket; none is heard",
  {
    skip: unavailable || needsRoot,
  },
  async () => {
    assert.equal(await stranger({ isolation: "none" }), 0);
  },
);

test(
  "a process of the child's own user can send to its socket, and fill its queue; it is not heard",
  {
    skip: unavailable,
  },
  async () => {
    for (const isolation of ["none", "shared", "contained", "private"] as const)
      assert.equal(await stranger({ isolation }, {}), 0, isolation);
  },
);
