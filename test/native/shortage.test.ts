// What is said when something has run out: the limit by its name, its value, and
// the way to a higher one. With real limits, each of a Node of its own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test, type TestContext } from "node:test";
import { makePidsGroup } from "../chaos/pids-group.ts";
import { startFixture } from "../helpers/fixture.ts";
import { AS_NOBODY, notNobody } from "../helpers/nobody.ts";
import { hasCommands } from "../helpers/processes.ts";
import { refusal } from "../helpers/isolation.ts";

const noPrlimit = !hasCommands("prlimit") && "prlimit(1) is not installed";
const notRoot = process.geteuid?.() !== 0 && "needs root";

interface Told {
  readonly code?: string;
  readonly errno?: string;
  readonly stage?: string;
  readonly message: string;
  readonly retried?: number;
  readonly again?: string;
}

async function tell(args: readonly string[], wrap: readonly string[]): Promise<Told> {
  const { code, stdout, stderr } = await startFixture("shortage", args, wrap).ended;
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Told;
}

/** The launch has waited for room, and there was room again when others had ended. */
function gaveUp(told: Told, stage: string, errno: string): void {
  assert.deepEqual([told.code, told.stage, told.errno, told.again], ["ERR_LAUNCH", stage, errno, "exited"]);
  assert.ok((told.retried ?? 0) > 5, `${told.retried}`);
}

// Each waits for ten seconds before it gives up: together.
describe("a launch that finds no room for ten seconds names the limit", { concurrency: true }, () => {
  test("RLIMIT_NOFILE", { skip: noPrlimit }, async () => {
    const told = await tell(["fds"], ["prlimit", "--nofile=100"]);
    gaveUp(told, told.stage === "clone" ? "clone" : "pipe", "EMFILE");
    assert.match(told.message, /too many open files: RLIMIT_NOFILE is 100, the hard limit; .*LimitNOFILE=/);
  });

  test("pids.max of its cgroup", { skip: notRoot }, async (t: TestContext) => {
    const group = makePidsGroup(40);
    if ("reason" in group) return t.skip(group.reason);
    t.after(() => group.remove());
    const enter = ["sh", "-c", 'echo $$ >"$0/cgroup.procs"; exec "$@"', group.path];
    const told = await tell(["processes"], enter);
    gaveUp(told, "clone", "EAGAIN");
    assert.ok(told.message.includes(`too many processes: ${group.path}/pids.max is 40; `), told.message);
    return undefined;
  });

  test("RLIMIT_NPROC of another user", { skip: notRoot || noPrlimit }, async () => {
    const told = await tell(["other user", String(48_000 + (process.pid % 4000))], ["prlimit", "--nproc=5"]);
    gaveUp(told, "execve", "EAGAIN");
    assert.match(told.message, /its user has too many processes: RLIMIT_NPROC is 5 here \(ulimit -u, LimitNPROC=/);
  });
});

test(
  "a user namespace may have few namespaces of a kind, whose limit is named",
  { skip: await refusal("shared") },
  async (t) => {
    if (!hasCommands("unshare")) return t.skip("unshare(1) is not installed");
    // The pool's own network namespace is none: only those of children are private.
    const limit = 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" "$@"';
    const told = await tell(["namespaces"], ["unshare", "--user", "--map-root-user", "sh", "-c", limit]);
    assert.deepEqual([told.code, told.errno], ["ERR_ISOLATION", "ENOSPC"]);
    assert.match(told.message, /user\.max_net_namespaces is 0\); sysctl -w user\.max_net_namespaces=10000$/);
    return undefined;
  },
);

test("Node raises its soft limit of fds to the hard one, which then counts", { skip: noPrlimit }, async () => {
  const { message } = await tell(["explain", "EMFILE"], ["prlimit", "--nofile=100:500"]);
  assert.match(message, /RLIMIT_NOFILE is 500, the hard limit/);
});

test("a soft limit that was lowered later is said to be one", { skip: noPrlimit }, async () => {
  const { message } = await tell(["lowered", "100"], ["prlimit", "--nofile=500"]);
  assert.match(message, /RLIMIT_NOFILE is 100, and may be raised to 500 \(prlimit --pid \d+ --nofile=500\)/);
});

test("RLIMIT_NPROC is not blamed for root, whom it does not bind", { skip: notRoot || noPrlimit }, async () => {
  const { message } = await tell(["explain", "EAGAIN"], ["prlimit", "--nproc=500"]);
  assert.match(message, /RLIMIT_NPROC \(.*\) is 500, kernel\.pid_max is \d+, kernel\.threads-max is \d+/);
});

test("RLIMIT_NPROC is blamed for an ordinary user", { skip: notNobody || noPrlimit }, async () => {
  const { message } = await tell(["explain", "EAGAIN"], [...AS_NOBODY, "prlimit", "--nproc=500"]);
  assert.match(message, /too many processes: RLIMIT_NPROC is 500 for all processes of this user; .*LimitNPROC=/);
});

test("settings of the whole system are told with their values", async () => {
  const setting = (file: string): string => readFileSync(`/proc/sys/${file}`, "latin1").trim();
  const files = await tell(["explain", "ENFILE"], []);
  assert.ok(files.message.includes(`fs.file-max is ${setting("fs/file-max")}`), files.message);
  const watches = await tell(["explain", "ENOSPC"], []);
  const most = setting("fs/epoll/max_user_watches");
  assert.ok(watches.message.includes(`fs.epoll.max_user_watches is ${most}; raise it`), watches.message);
  const memory = await tell(["explain", "ENOMEM"], []);
  assert.match(memory.message, /out of memory: (the system has \d+ KiB left|.*memory\S+ is \d+|vm\.\S+ is \d+)/);
});

test("the room for arguments is told with the stack that it is a quarter of", { skip: noPrlimit }, async () => {
  const { message } = await tell(["arguments"], ["prlimit", "--stack=4194304"]);
  assert.match(
    message,
    /there is room for 1048576 bytes \(a quarter of RLIMIT_STACK, at most 6291456\), and for 131071/,
  );
  const { message: unlimited } = await tell(["arguments"], ["prlimit", "--stack=unlimited"]);
  assert.match(unlimited, /there is room for 6291456 bytes/);
});

test("an errno that tells of no shortage is none", async () => {
  const { message } = await tell(["explain", "EPERM"], []);
  assert.equal(message, null);
});
