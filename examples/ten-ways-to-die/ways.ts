// The ways themselves: each starts a program that comes to its end in one way,
// and gives the report of that.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessPool, RunOptions, RunResult } from "pidpool";

/** One of them. */
export interface Way {
  /** Its mark in docs/exit-reports.md. */
  readonly name: string;
  readonly title: string;
  /** @throws where this machine lacks what it takes. */
  go(pool: ProcessPool): Promise<RunResult>;
}

const STUBBORN = "trap '' TERM; while :; do sleep 0.01; done";
const MIB = 2 ** 20;

const sh = (pool: ProcessPool, script: string, options: RunOptions = {}): Promise<RunResult> =>
  pool.run("sh", ["-c", script], { isolation: "none", check: false, ...options });

/** Speaks as a systemd service does, without a library. */
const SPEAK = `
import os, socket, sys, time

def notify(*words):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
        to.sendto("\\n".join(words).encode(), os.environ["NOTIFY_SOCKET"])
`;

const RECORDER = `${SPEAK}
notify("READY=1", "STATUS=recording")
try:
    os.open("/dev/video-unplugged", os.O_RDWR)
except OSError as error:
    print("recorder: giving up", file=sys.stderr)
    notify(f"STATUS=the camera is gone: {error.filename}", f"ERRNO={error.errno}")
    sys.exit(1)
`;

const HANGING = `${SPEAK}
notify("READY=1", "STATUS=compressing frame 7")
while True:
    time.sleep(1000)
`;

const python = (pool: ProcessPool, script: string, options: RunOptions): Promise<RunResult> =>
  pool.run("python3", ["-I", "-S", "-c", script], { isolation: "none", check: false, notify: true, ...options });

export const WAYS: readonly Way[] = [
  {
    name: "exit-code",
    title: "It exits with code 3",
    go: (pool) => sh(pool, "echo reading config.yaml >&2; echo 'config.yaml: line 7: no such key: prot' >&2; exit 3"),
  },
  {
    name: "crash",
    title: "It crashes, and dumps core",
    go: async (pool) => {
      const cwd = mkdtempSync(join(tmpdir(), "crash-"));
      try {
        return await sh(pool, "ulimit -c unlimited; kill -SEGV $$", { cwd });
      } finally {
        rmSync(cwd, { recursive: true });
      }
    },
  },
  {
    name: "stranger",
    title: "A stranger kills it",
    go: async (pool) => {
      const child = await pool.spawn("sleep", ["1000"], { isolation: "none" });
      process.kill(child.pid, "SIGKILL");
      return child.result;
    },
  },
  {
    name: "timeout",
    title: "It takes too long, and obeys SIGTERM",
    go: (pool) => sh(pool, "trap 'echo flushed, bye >&2; exit 0' TERM; while :; do sleep 0.01; done", { timeout: 200 }),
  },
  {
    name: "timeout-ignored",
    title: "It takes too long, and does not",
    go: (pool) => sh(pool, STUBBORN, { timeout: 200, killAfter: 100 }),
  },
  {
    name: "output-limit",
    title: "It writes too much",
    go: (pool) => sh(pool, "exec yes", { maxOutput: MIB }),
  },
  {
    name: "cpu-limit",
    title: "It computes too long",
    go: (pool) => sh(pool, "while :; do :; done", { limits: { cpuSeconds: 1 } }),
  },
  {
    name: "memory-limit",
    title: "It needs too much memory",
    go: (pool) => sh(pool, "exec dd if=/dev/zero of=/dev/null bs=512M count=1", { limits: { memory: 32 * MIB } }),
  },
  {
    name: "abort",
    title: "Its caller loses interest",
    go: (pool) => sh(pool, "exec sleep 1000", { signal: AbortSignal.timeout(100), killSignal: "SIGINT" }),
  },
  {
    name: "guardian",
    title: "The init of its pid namespace is killed",
    go: async (pool) => {
      pool.on("error", () => {});
      const child = await pool.spawn("sleep", ["1000"], { isolation: "contained" });
      for (const pid of guardians()) process.kill(pid, "SIGKILL");
      return child.result;
    },
  },
  {
    name: "last-words",
    title: "It says why itself",
    go: (pool) => python(pool, RECORDER, {}),
  },
  {
    name: "watchdog",
    title: "It hangs, and misses its watchdog",
    go: (pool) => python(pool, HANGING, { watchdog: 100 }),
  },
];

/** The pool's own processes, by their name. */
function guardians(): number[] {
  const children = readdirSync("/proc/self/task").flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, "latin1").split(" ").filter(Boolean),
  );
  return children.filter((pid) => readFileSync(`/proc/${pid}/comm`, "latin1").startsWith("pidpool-guard")).map(Number);
}

/** One at a time, so that none disturbs another's figures. */
export async function* walk(pool: ProcessPool, names: ReadonlySet<string>): AsyncGenerator<[Way, RunResult | Error]> {
  for (const way of WAYS) {
    if (names.size > 0 && !names.has(way.name)) continue;
    // The machine comes to rest after the one before.
    await sleep(50);
    yield [way, await way.go(pool).catch((error: unknown) => error as Error)];
  }
}
