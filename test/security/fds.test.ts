// A whole audit of what fds a child has, in every way that it can be started,
// while this process has many others open and starts many children at once.
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "../helpers/isolated.ts";
import { ProcessPool, type Isolation, type SpawnOptions } from "pidpool";
import { compile } from "../helpers/compile.ts";
import { tempDir } from "../helpers/files.ts";
import { dup2 } from "../helpers/libc.ts";

const audit = compile("fds");

const LEVELS: readonly Isolation[] = [
  "none",
  "shared",
  "contained",
  "private",
  { pid: "private", mount: true },
  { network: "private", loopback: true },
];

const WAYS: readonly (readonly [what: string, options: SpawnOptions, fds: string])[] = [
  ["pipes", {}, "0 1 2"],
  ["ignored", { stdio: "ignore" }, "0 1 2"],
  ["inherited", { stdio: "inherit" }, "0 1 2"],
  ["captured, with the end of stderr kept", { stdio: ["ignore", "inherit", "inherit"], stderrTail: 100 }, "0 1 2"],
  ["files", { stdio: [{ file: "/dev/null" }, { file: "/dev/null" }, { file: "/dev/null" }] }, "0 1 2"],
  ["further pipes, with a gap", { stdio: ["ignore", "ignore", "ignore", "pipe", undefined, "pipe"] }, "0 1 2 3 5"],
  ["a file at a high number", { stdio: [...Array<undefined>(40), { file: "/dev/null", read: true }] }, "0 1 2 40"],
  ["a socket of notifications", { stdio: "ignore", notify: true }, "0 1 2"],
  ["a notification fd", { stdio: "ignore", notify: { fd: 7 } }, "0 1 2 7"],
  ["rules for files", { stdio: "ignore", filesystem: { readWrite: ["/"], execute: ["/"] } }, "0 1 2"],
  ["a filter", { stdio: "ignore", seccomp: "default" }, "0 1 2"],
];

test("a child has exactly the fds that it was given, however it is started", async (t) => {
  if (audit.unavailable !== false) return t.skip(audit.unavailable);
  const program = audit.file;
  const dir = tempDir(t);
  const secret = openSync("/proc/self/status", "r");
  // Low, high, and none of them close-on-exec.
  const strays = [46, 47, 63, 64, 65, 200, 900].filter((fd) => {
    try {
      closeSync(openSync(`/proc/self/fd/${fd}`, "r"));
      return false;
    } catch {
      return dup2(secret, fd) === fd;
    }
  });
  t.after(() => [secret, ...strays].forEach((fd) => closeSync(fd)));
  await using pool = new ProcessPool({ concurrency: 16 });
  let files = 0;
  const audits: Promise<void>[] = [];
  const check = async (what: string, fds: string, run: (file: string) => Promise<unknown>): Promise<void> => {
    const file = join(dir, `${files++}`);
    await run(file);
    assert.equal(readFileSync(file, "utf8").trim(), fds, what);
  };
  for (const isolation of LEVELS) {
    const level = JSON.stringify(isolation);
    for (const [what, options, fds] of WAYS) {
      const run = async (file: string): Promise<void> => {
        const child = await pool.spawn(program, [file], { ...options, isolation });
        assert.deepEqual((await child.exited).reason, "exit");
      };
      audits.push(check(`${what}, ${level}`, fds, run));
    }
    audits.push(
      check(`captured, ${level}`, "0 1 2", (file) => pool.run(program, [file], { isolation, input: "x" })),
      check(`warm, ${level}`, "0 1 2", async (file) => {
        await using warm = pool.command(program, [file, "read"], { isolation }).warm({ spares: 1 });
        await warm.run({ input: "job" });
      }),
      check(`a service, ${level}`, "0 1 2 3 4 9", async (file) => {
        const service = pool.service({
          name: level,
          file: program,
          args: [file, "stay"],
          listen: [{ port: 0, host: "127.0.0.1" }, { path: join(dir, `s${files}`) }],
          ready: { fd: 9 },
          isolation,
        });
        await service.ready;
        await service.stop();
      }),
    );
  }
  await Promise.all(audits);
  assert.equal(audits.length, LEVELS.length * (WAYS.length + 3));
  return undefined;
});
