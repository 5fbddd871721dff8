// What is expected of pidpool in any JavaScript runtime, as plain checks: under Bun and Deno the suite does not run.
//
//   conformance           prints the names of all checks
//   conformance NAME      does one, in a process of its own, since it has to end by itself: prints "passed", or
//                         "skipped: WHY" where this machine refuses an isolation
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { ExitError, IsolationError, LaunchError, ProcessPool, type ExitReport, type PoolOptions } from "pidpool";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { isAlive, openFds, until } from "../helpers/processes.ts";

// The libraries that a runtime was loaded with are not for its children.
for (const name of ["LD_PRELOAD", "LD_LIBRARY_PATH"]) delete process.env[name];

const SELF = fileURLToPath(import.meta.url);
const ISOLATION = process.env["TEST_ISOLATION"] as PoolOptions["isolation"] | undefined;

function makePool(options: PoolOptions = {}): ProcessPool {
  return new ProcessPool({ ...(ISOLATION === undefined ? {} : { isolation: ISOLATION }), ...options });
}

/** Does something with a pool, then closes it: with nothing left, the runtime ends by itself. */
async function withPool(action: (pool: ProcessPool) => Promise<void>, options: PoolOptions = {}): Promise<void> {
  const pool = makePool(options);
  await action(pool);
  await pool.close();
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.fail("it did not fail"),
    (error: unknown) => error,
  );
}

async function text(stream: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}

function signalOf(report: ExitReport): string {
  return report.status === "signaled" ? report.signal : report.status;
}

/** This program once more, with a check or a mode of its own. */
function again(mode: string): ReturnType<typeof spawn> {
  const args = "Deno" in globalThis ? ["run", "--allow-all", "--quiet", SELF, mode] : [SELF, mode];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

const CHECKS: Readonly<Record<string, () => Promise<void>>> = {
  "run: output and exit code": () =>
    withPool(async (pool) => {
      const { stdout, stderr, exit } = await pool.run("sh", ["-c", "echo out; echo err >&2"]);
      assert.deepEqual([stdout, stderr, exit.status], ["out\n", "err\n", "exited"]);
    }),
  "run: failures are typed": () =>
    withPool(async (pool) => {
      const exit = await failure(pool.run("sh", ["-c", "exit 3"]));
      assert.ok(exit instanceof ExitError);
      assert.match(exit.message, /exited with code 3/);
      const launch = await failure(pool.run("/no/such/program"));
      assert.ok(launch instanceof LaunchError);
      assert.deepEqual([launch.stage, launch.errno], ["execve", "ENOENT"]);
    }),
  "run: times of the report": () =>
    withPool(async (pool) => {
      const before = Date.now();
      const { exit } = await pool.run("sleep", ["0.2"]);
      assert.ok(exit.wallMs >= 199, `wallMs is ${exit.wallMs}`);
      assert.ok(Math.abs(exit.startedAt - before) < 5000, `startedAt is ${exit.startedAt - before} ms off`);
    }),
  "run: input of a string, and 4 MiB of bytes, through cat": () =>
    withPool(async (pool) => {
      assert.equal((await pool.run("cat", [], { input: "words" })).stdout, "words");
      const bytes = new Uint8Array(4 << 20).map((_, i) => i % 251);
      const { stdout } = await pool.run("cat", [], { input: bytes, encoding: "buffer" });
      assert.ok(Buffer.from(stdout).equals(bytes));
    }),
  "run: 300 at once": () =>
    withPool(
      async (pool) => {
        const runs = Array.from({ length: 300 }, (_, i) => pool.run("sh", ["-c", `exit ${i % 7}`], { check: false }));
        const codes = (await Promise.all(runs)).map(({ exit }) => exit.status === "exited" && exit.code);
        assert.deepEqual(
          codes,
          codes.map((_, i) => i % 7),
        );
      },
      { concurrency: 16 },
    ),
  "run: fds of the child, and none left here": () =>
    withPool(async (pool) => {
      const list = (): Promise<string> =>
        pool
          .run("sh", ["-c", "for fd in 0 1 2 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$fd && echo $fd; done; :"])
          .then(({ stdout }) => stdout);
      assert.equal(await list(), "0\n1\n2\n");
      const before = openFds().length;
      for (let i = 0; i < 30; i++) await list();
      assert.ok(openFds().length <= before + 3, `${before} fds became ${openFds().length}`);
    }),
  "run: output limit": () =>
    withPool(async (pool) => {
      const { exit } = await pool.run("sh", ["-c", "while :; do echo yes; done"], { maxOutput: 10_000, check: false });
      assert.equal(exit.reason, "output-limit");
    }),
  "run: timeout": () =>
    withPool(async (pool) => {
      const { exit } = await pool.run("sleep", ["100"], { timeout: 100, check: false });
      assert.deepEqual([exit.reason, signalOf(exit)], ["timeout", "SIGTERM"]);
    }),
  "run: SIGKILL after the grace of killAfter": () =>
    withPool(async (pool) => {
      const script = "trap '' TERM; while :; do sleep 0.05; done";
      const { exit } = await pool.run("sh", ["-c", script], { timeout: 100, killAfter: 100, check: false });
      assert.deepEqual([exit.reason, signalOf(exit)], ["timeout", "SIGKILL"]);
    }),
  "run: abort": () =>
    withPool(async (pool) => {
      const controller = new AbortController();
      pool.once("spawn", () => controller.abort());
      const run = pool.run("sleep", ["100"], { signal: controller.signal, check: false });
      assert.equal((await run).exit.reason, "aborted");
    }),
  "spawn: stdin, stdout and stderr as streams": () =>
    withPool(async (pool) => {
      const child = await pool.spawn("sh", ["-c", "cat; echo done >&2"]);
      const [out, err] = [text(child.stdout), text(child.stderr)];
      child.stdin.end("through");
      assert.deepEqual([await out, await err, (await child.exited).status], ["through", "done\n", "exited"]);
    }),
  "spawn: 4 MiB through cat": () =>
    withPool(async (pool) => {
      const child = await pool.spawn("cat", [], { stdio: ["pipe", "pipe", "ignore"] });
      const out = text(child.stdout);
      child.stdin.end(Buffer.alloc(4 << 20, "x"));
      assert.equal((await out).length, 4 << 20);
      await child.exited;
    }),
  "spawn: files as stdio": () =>
    withPool(async (pool) => {
      const folder = mkdtempSync(join(tmpdir(), "pidpool-conformance-"));
      const file = join(folder, "out");
      const child = await pool.spawn("echo", ["to a file"], { stdio: ["ignore", { file }, "ignore"] });
      await child.exited;
      assert.equal(readFileSync(file, "utf8"), "to a file\n");
      rmSync(folder, { recursive: true });
    }),
  "spawn: kill, once": () =>
    withPool(async (pool) => {
      const child = await pool.spawn("sleep", ["100"], { stdio: "ignore" });
      assert.ok(isAlive(child.pid));
      assert.equal(child.kill("SIGINT"), true);
      assert.equal(signalOf(await child.exited), "SIGINT");
      assert.equal(child.kill(), false);
    }),
  "spawn: exit events": () =>
    withPool(async (pool) => {
      const child = await pool.spawn("true", [], { stdio: "ignore" });
      const exited = new Promise<ExitReport>((resolve) => child.on("exit", resolve));
      assert.equal((await exited).pid, child.pid);
    }),
  "command: prepared once": () =>
    withPool(async (pool) => {
      const command = pool.command("sha256sum", ["-"]);
      const [a, b] = await Promise.all([command.run({ input: "a" }), command.run({ input: "b" })]);
      assert.notEqual(a.stdout, b.stdout);
    }),
  "warm: jobs for spares": () =>
    withPool(async (pool) => {
      const warm = pool.command("sh", []).warm({ spares: 2 });
      await warm.ready;
      assert.equal((await warm.run({ input: "echo $((6 * 7))" })).stdout, "42\n");
      await warm.close();
    }),
  "service: ready, restarted after a crash, stopped": () =>
    withPool(async (pool) => {
      const service = pool.service({
        name: "s",
        file: "sh",
        args: ["-c", "echo >&3; exec sleep 1000"],
        ready: { fd: 3 },
        restart: { policy: "always", backoff: { initial: 10 } },
      });
      await service.ready;
      const first = service.replicas[0]?.pid ?? 0;
      process.kill(first, "SIGKILL");
      await until(() => {
        const [replica] = service.replicas;
        return replica?.state === "ready" && replica.pid !== first;
      });
      await service.stop();
    }),
  "notify: readiness by fd": () =>
    withPool(async (pool) => {
      const child = await pool.spawn("sh", ["-c", "echo >&3; exec sleep 1000"], { notify: { fd: 3 }, stdio: "ignore" });
      await child.ready;
      child.kill("SIGKILL");
      await child.exited;
    }),
  "isolation: shared": () => isolated("shared"),
  "isolation: contained": () => isolated("contained"),
  "isolation: private": () => isolated("private"),
  "supervisor: one that dies has a successor": () =>
    withPool(
      async (pool) => {
        const child = await pool.spawn("sleep", ["1000"], { stdio: "ignore" });
        const died = new Promise<unknown>((resolve) => pool.once("error", resolve));
        supervisorsOf(pool)?.all[0]?.send({ slot: "none" } as never);
        await died;
        assert.ok(isAlive(child.pid));
        child.kill("SIGKILL");
        assert.equal(signalOf(await child.exited), "SIGKILL");
        assert.equal((await pool.run("echo", ["after"])).stdout, "after\n");
      },
      { threads: 1 },
    ),
  "worker: a pool in a worker thread, beside one in the main thread": () =>
    withPool(async (pool) => {
      const worker = new Worker(new URL(import.meta.url));
      const said = new Promise<unknown>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      });
      assert.equal((await pool.run("echo", ["main"])).stdout, "main\n");
      assert.equal(await said, "worker\n");
      await worker.terminate();
    }),
  "beside child_process: each has its own exits": () =>
    withPool(async (pool) => {
      const theirs = Array.from({ length: 20 }, async (_, i) => {
        const child = spawn("sh", ["-c", `exit ${i}`]);
        return new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
      });
      const ours = Array.from({ length: 20 }, (_, i) => pool.run("sh", ["-c", `exit ${i}`], { check: false }));
      const codes = (await Promise.all(ours)).map(({ exit }) => exit.status === "exited" && exit.code);
      assert.deepEqual([codes, await Promise.all(theirs)], [codes.map((_, i) => i), codes.map((_, i) => i)]);
    }),
  "end: an idle pool does not keep the runtime alive": async () => {
    await makePool().run("true");
  },
  "end: an unrefed child does not keep the runtime alive, and dies with it": async () => {
    const child = await makePool().spawn("sleep", ["1000"], { stdio: "ignore" });
    child.unref();
  },
  "end: a live child keeps the runtime alive": async () => {
    const child = await makePool().spawn("sleep", ["0.2"], { stdio: "ignore" });
    child.on("exit", () => console.log("exited"));
  },
  "end: process.exit() with live children": async () => {
    await makePool().spawn("sleep", ["1000"], { stdio: "ignore" });
    console.log("passed");
    process.exit(0);
  },
  "end: destroy() kills live children": async () => {
    const pool = makePool();
    const child = await pool.spawn("sleep", ["1000"], { stdio: "ignore" });
    await pool.destroy();
    assert.equal(isAlive(child.pid), false);
  },
  "end: SIGKILL of the runtime takes its children along": async () => {
    const host = again("host");
    let line = "";
    for await (const chunk of host.stdout ?? []) {
      line += String(chunk);
      if (line.includes("\n")) break;
    }
    const pid = Number(line);
    assert.ok(isAlive(pid));
    host.kill("SIGKILL");
    await until(() => !isAlive(pid));
  },
};

async function isolated(isolation: "shared" | "contained" | "private"): Promise<void> {
  await withPool(
    async (pool) => {
      const script = "cd /proc/self/ns && readlink user net pid";
      const inside = (await pool.run("sh", ["-c", script])).stdout.trim().split("\n");
      const outside = (await pool.run("sh", ["-c", script], { isolation: "none" })).stdout.trim().split("\n");
      const differs = inside.map((ns, i) => ns !== outside[i]);
      assert.deepEqual(differs, [true, true, isolation === "contained"]);
    },
    { isolation },
  );
}

if (!isMainThread) {
  await withPool(async (pool) => {
    parentPort?.postMessage((await pool.run("echo", ["worker"])).stdout);
  });
} else if (process.argv[2] === undefined) {
  console.log(Object.keys(CHECKS).join("\n"));
} else if (process.argv[2] === "host") {
  const child = await makePool().spawn("sleep", ["1000"], { stdio: "ignore" });
  console.log(child.pid);
} else {
  try {
    await CHECKS[process.argv[2]]?.();
    console.log("passed");
  } catch (error) {
    if (!(error instanceof IsolationError)) throw error;
    console.log(`skipped: ${error.message}`);
  }
}
