// A curious or hostile user of the same machine, with no process of ours.
import assert from "node:assert/strict";
import { chmodSync, lstatSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "../helpers/isolated.ts";
import { ProcessPool, type Process } from "pidpool";
import { tempDir } from "../helpers/files.ts";
import { said } from "../helpers/wait.ts";

const skip = process.getuid?.() !== 0 && "needs root, to be several users";
const USER = { uid: 65534, gid: 65534, isolation: "none", cwd: "/" } as const;

/** What the other user's shell says. */
async function tries(pool: ProcessPool, script: string): Promise<string> {
  return (await pool.run("bash", ["-c", script], { ...USER, check: false, env: { PATH: process.env["PATH"] } })).stdout;
}

/** A child of this process's user, which waits. */
async function started(pool: ProcessPool, options: object = {}): Promise<Process> {
  const child = await pool.spawn("sh", ["-c", "echo $NOTIFY_SOCKET up; read line", "an argument"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { PATH: process.env["PATH"], SECRET: "secret" },
    ...options,
  });
  return child;
}

test(
  "another user reads a child's command line, but not its environment, and can neither signal nor stop it",
  {
    skip,
  },
  async () => {
    await using pool = new ProcessPool({ cwd: "/" });
    for (const isolation of ["none", "shared", "contained", "private"] as const) {
      const child = await started(pool, { isolation });
      await said(child.stdout as AsyncIterable<Buffer>, "up");
      assert.match(await tries(pool, `tr '\\0' ' ' </proc/${child.pid}/cmdline`), /an argument/);
      const script = `cd /proc/${child.pid}; for f in environ mem maps; do head -c 1 $f; done; readlink fd/1 cwd root; true`;
      assert.equal(await tries(pool, `(${script}) 2>/dev/null`), "");
      assert.equal(await tries(pool, `kill -KILL ${child.pid} && echo reached`), "");
      assert.equal(await tries(pool, `kill -KILL ${process.pid} && echo reached`), "");
      (child.stdin as NodeJS.WritableStream).end();
      await child.exited;
    }
  },
);

test(
  "the directory of notification sockets has a name that nobody guesses, and shows others no socket",
  {
    skip,
  },
  async () => {
    await using pool = new ProcessPool({ cwd: "/" });
    const child = await started(pool, { notify: true });
    const text = await said(child.stdout as AsyncIterable<Buffer>, "up");
    const directory = dirname(text.split(" ")[0] ?? "");
    assert.match(directory, /pidpool-notify-.*-[0-9a-f]{16}$/);
    const { mode, uid } = lstatSync(directory);
    assert.deepEqual([mode & 0o777, uid], [0o711, 0]);
    assert.equal(await tries(pool, `ls ${directory} 2>/dev/null; touch ${directory}/mine && echo written`), "");
    // It can be made by nobody else before: the parent is closed to others, or sticky.
    const { mode: above } = lstatSync(dirname(directory));
    assert.ok((above & 0o002) === 0 || (above & 0o1000) !== 0, (above & 0o7777).toString(8));
    (child.stdin as NodeJS.WritableStream).end();
    await child.exited;
  },
);

test("another user connects to a standing socket only where its mode lets it", { skip }, async (t) => {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  await using pool = new ProcessPool({ cwd: "/" });
  const reach = (path: string): Promise<string> =>
    tries(pool, `python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("${path}"); print("reached")' 2>&1`);
  for (const [mode, reached] of [
    [0o600, /Permission denied/],
    [0o660, /Permission denied/],
    [0o666, /^reached$/m],
  ] as const) {
    const path = `${dir}/${mode.toString(8)}`;
    const service = pool.service({ name: "s", file: "sleep", args: ["1000"], listen: [{ path, mode }] });
    await service.ready;
    assert.match(await reach(path), reached);
    await service.stop();
  }
});
