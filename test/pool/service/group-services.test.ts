// Groups as users make them: of services, by pool.group().
import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import {
  Group,
  GroupError,
  type GroupOptions,
  InvalidOptionError,
  LaunchError,
  PidpoolError,
  Service,
  ServiceError,
} from "pidpool";
import { rejection } from "../../helpers/errors.ts";
import { tempDir } from "../../helpers/files.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { childPids, until } from "../../helpers/processes.ts";
import { Journal } from "../../helpers/supervised.ts";

function newJournal(t: TestContext): Journal {
  return new Journal(join(tempDir(t), "journal"));
}

function service(group: Group, path: string): Service {
  const part = group.parts.get(path);
  assert.ok(part instanceof Service, path);
  return part;
}

function nested(group: Group, path: string): Group {
  const part = group.parts.get(path);
  assert.ok(part instanceof Group, path);
  return part;
}

function kill(of: Service, replica = 0): void {
  const pid = of.replicas[replica]?.pid;
  assert.ok(typeof pid === "number");
  process.kill(pid, "SIGKILL");
}

async function restarted(group: Group, ...services: Service[]): Promise<void> {
  const restart = new Promise((resolve) => group.once("restart", resolve));
  for (const each of services) kill(each);
  await restart;
  await group.ready;
}

function failure(group: Group): Promise<GroupError> {
  return new Promise((resolve) => group.once("failed", resolve));
}

for (const [strategy, lines] of [
  ["one_for_one", "+b b!"],
  ["one_for_all", "-c c. -a a. +a a! +b b! +c c!"],
  ["rest_for_one", "-c c. +b b! +c c!"],
] as const) {
  test(`${strategy} with services`, async (t) => {
    await using pool = new ProcessPool();
    const journal = newJournal(t);
    const group = pool.group({ name: "app", strategy, parts: ["a", "b", "c"].map((name) => journal.service(name)) });
    assert.equal(group.state, "starting");
    await group.ready;
    assert.equal(journal.read(), "+a a! +b b! +c c!");
    await restarted(group, service(group, "b"));
    await until(() => journal.has(lines.split(" ").length));
    assert.equal(journal.read(), lines);
    await until(() => ["a", "b", "c"].every((name) => service(group, name).state === "ready"));
    await group.stop();
    assert.equal(journal.read(), "-c c. -b b. -a a.");
    assert.deepEqual(childPids(), []);
  });
}

test("one replica that ends takes its whole service along where the group restarts it", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const parts = [journal.service("a"), journal.service("b", { replicas: 3 })];
  const group = pool.group({ name: "app", strategy: "one_for_all", parts });
  await group.ready;
  journal.read();
  kill(service(group, "b"), 1);
  await new Promise((resolve) => group.once("restart", resolve));
  await group.ready;
  const lines = journal.read().split(" ");
  assert.equal(lines.toSorted().join(" "), "+a +b +b +b -a -b -b a! a. b! b! b! b. b.");
  assert.ok(lines.indexOf("-a") > lines.lastIndexOf("b."), "a is stopped after all of b");
  assert.ok(lines.indexOf("+b") > lines.indexOf("a!"), "b is started after a is ready");
  await group.stop();
});

test("a process that ends by itself and is not to be restarted is no end for the group", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const once = { name: "once", file: "true", restart: "on-failure" } as const;
  const group = pool.group({ name: "app", strategy: "one_for_all", intensity: 0, parts: [once, journal.service("a")] });
  await group.ready;
  await until(() => service(group, "once").state === "exited");
  assert.equal(group.state, "ready");
  await group.stop();
});

test("a service whose start limit escalates is an end of that part, and nothing for the pool", async (t) => {
  await using pool = new ProcessPool();
  const errors: PidpoolError[] = [];
  pool.on("error", (error) => errors.push(error));
  const journal = newJournal(t);
  const startLimit = { burst: 2, action: "escalate" } as const;
  const b = journal.service("b", { restart: { backoff: { initial: 1 }, startLimit } });
  const parts = [journal.service("a"), b, journal.service("c")];
  const group = pool.group({ name: "app", strategy: "one_for_one", intensity: 2, parts });
  await group.ready;
  journal.read();
  await restarted(group, service(group, "b"));
  await until(() => journal.has(2) && service(group, "b").state === "ready");
  const info = new Promise<unknown>((resolve) => group.once("restart", ({ error }) => resolve(error)));
  kill(service(group, "b"));
  assert.ok((await info) instanceof ServiceError);
  await until(() => group.state === "ready");
  assert.equal(journal.read(), "+b b! +b b!");
  assert.deepEqual(errors, []);

  const failed = failure(group);
  kill(service(group, "b"));
  const error = await failed;
  assert.deepEqual(errors, [error]);
  assert.match(
    error.message,
    /^the group "app" has failed: 3 ends within 5000 ms, .* the last: app\/b: was killed by /,
  );
  assert.equal(journal.read(), "-c c. -a a.");
  assert.deepEqual(childPids(), []);
});

test("a start that fails and escalates counts once", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const a = journal.service("a", { restart: { startLimit: { burst: 1, action: "escalate" } } });
  const [flag = "", script = ""] = a.args ?? [];
  const once = `${script.split("echo '+a'")[0]} [ ! -e '${journal.path}.once' ] || { echo x >> '${journal.path}'; exit 1; }`;
  const args = [flag, `${once}; : > '${journal.path}.once'; ${script}`];
  const group = pool.group({ name: "app", intensity: 3, parts: [{ ...a, args }] });
  await group.ready;
  const failed = failure(group);
  kill(service(group, "a"));
  assert.match((await failed).message, /: 4 ends within 5000 ms, more than its intensity of 3; the last: app\/a: /);
  assert.equal(journal.read(), "+a a! x x x");
});

test("a service that cannot be started fails the group; nobody has to listen", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const group = pool.group({
    name: "app",
    parts: [journal.service("a"), { name: "b", file: "/no/such/program", restart: "no" }, journal.service("c")],
  });
  const error = await rejection(group.ready, GroupError);
  assert.equal(error.code, "ERR_SERVICE_FAILED");
  assert.match(error.message, /^the group "app" has failed: app\/b could not be started: /);
  assert.ok(error.cause instanceof ServiceError && error.cause.cause instanceof LaunchError);
  assert.equal(group.state, "failed");
  assert.equal(group.error, error);
  assert.equal(journal.read(), "+a a! -a a.");
  assert.deepEqual(childPids(), []);
});

test("groups in groups: an inner failure is an end outside, and the whole tree fails at last", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const group = pool.group({
    name: "app",
    strategy: "one_for_all",
    intensity: 1,
    parts: [
      journal.service("a"),
      { name: "back", strategy: "rest_for_one", intensity: 0, parts: [journal.service("b"), journal.service("c")] },
    ],
  });
  await group.ready;
  assert.equal(nested(group, "back").name, "app/back");
  assert.equal(service(group, "back/c").name, "app/back/c");
  assert.equal(journal.read(), "+a a! +b b! +c c!");
  await restarted(group, service(group, "back/b"));
  assert.equal(journal.read(), "-c c. -a a. +a a! +b b! +c c!");
  const failed = failure(group);
  kill(service(group, "back/c"));
  const error = await failed;
  assert.ok(error.cause instanceof GroupError);
  assert.equal(error.cause.group, "app/back");
  assert.equal(journal.read(), "-b b. -a a.");
  await group.start();
  assert.equal(journal.read(), "+a a! +b b! +c c!");
  await group.stop();
});

test("close() stops groups in order and waits for them; nothing starts after it", async (t) => {
  const pool = new ProcessPool();
  const journal = newJournal(t);
  const inner: GroupOptions = { name: "inner", parts: [journal.service("b"), journal.service("c")] };
  const group = pool.group({ name: "app", strategy: "one_for_all", parts: [journal.service("a"), inner] });
  await group.ready;
  journal.read();
  await pool.close();
  assert.equal(journal.read(), "-c c. -b b. -a a.");
  assert.equal((await rejection(group.start(), PidpoolError)).code, "ERR_CLOSED");
  assert.throws(() => pool.group({ name: "late", parts: [journal.service("a")] }), { code: "ERR_CLOSED" });
});

test("close() in the midst of a start ends what there is", async (t) => {
  const pool = new ProcessPool();
  const errors: unknown[] = [];
  pool.on("error", (error) => errors.push(error));
  const journal = newJournal(t);
  const group = pool.group({ name: "app", parts: [journal.service("a"), journal.service("b"), journal.service("c")] });
  await until(() => journal.has(3));
  await pool.close();
  assert.equal((await rejection(group.ready, GroupError)).message, 'the group "app" was stopped before it was ready');
  assert.ok(!journal.read().includes("+c"));
  assert.deepEqual([errors, childPids()], [[], []]);
});

test("destroy() kills all, and none is restarted", async (t) => {
  const pool = new ProcessPool();
  const errors: unknown[] = [];
  pool.on("error", (error) => errors.push(error));
  const journal = newJournal(t);
  for (const strategy of ["one_for_one", "one_for_all", "rest_for_one"] as const) {
    const parts = [journal.service("a"), journal.service("b", { restart: "always" })];
    await pool.group({ name: strategy, strategy, parts }).ready;
  }
  journal.read();
  await pool.destroy();
  assert.doesNotMatch(journal.read(), /\+/);
  assert.deepEqual([errors, childPids()], [[], []]);
});

test("fifty services that are killed at once: one restart, in order", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const names = Array.from({ length: 50 }, (_, i) => `s${i}`);
  const group = pool.group({
    name: "fifty",
    strategy: "one_for_all",
    parts: names.map((name) => journal.service(name)),
  });
  await group.ready;
  const starts = names.map((name) => `+${name} ${name}!`).join(" ");
  assert.equal(journal.read(), starts);
  await restarted(group, ...names.map((name) => service(group, name)));
  // Of those killed last, some may have been asked to stop in time.
  const lines = journal.read().split(" ");
  assert.equal(lines.filter((line) => !line.startsWith("-") && !line.endsWith(".")).join(" "), starts);
  assert.equal(group.reports.length, 1);
  await group.stop();
  assert.deepEqual(childPids(), []);
});

test("wrong options name the option, where it is, and what is allowed", async () => {
  await using pool = new ProcessPool();
  const a = { name: "a", file: "true" };
  const self: { name: string; parts: unknown[] } = { name: "self", parts: [] };
  self.parts.push(self);
  let deep: object = { name: "deep", parts: [a] };
  for (let i = 0; i < 32; i++) deep = { name: "deep", parts: [deep] };
  for (const [options, option, message] of [
    [undefined, "name", "name is undefined; it must be a string"],
    [null, "options", "options is null; it must be an object"],
    [{ name: "", parts: [a] }, "name", 'name is the string ""; it must not be empty'],
    [{ name: "a/b", parts: [a] }, "name", 'name is the string "a/b"; it must not hold "/", which joins names'],
    [
      { name: "g" },
      "parts",
      "parts is undefined; it must be an array of the options of services and groups, not empty",
    ],
    [{ name: "g", parts: [] }, "parts", undefined],
    [{ name: "g", parts: [a], strategy: "simple_one_for_one" }, "strategy", undefined],
    [
      { name: "g", parts: [a], intensity: -1 },
      "intensity",
      "intensity is -1; it must be a whole number from 0 to 10000",
    ],
    [{ name: "g", parts: [a], period: 0 }, "period", "period is 0; it must be a whole number from 1 to 2147483647"],
    [{ name: "g", parts: [a], colour: 1 }, "colour", undefined],
    [{ name: "g", parts: [a, 1] }, "parts[1]", "parts[1] is 1; it must be the options of a service or of a group"],
    [{ name: "g", parts: [a, a] }, "parts[1].name", undefined],
    [
      { name: "g", parts: [{ ...a, replicas: 0 }] },
      "parts[0].replicas",
      "parts[0].replicas is 0; it must be a whole number from 1 to 1024",
    ],
    [{ name: "g", parts: [a, { name: "h", parts: [{ name: "b" }] }] }, "parts[1].parts[0].file", undefined],
    [{ name: "g", parts: [{ name: "h", parts: [a], period: "5" }] }, "parts[0].period", undefined],
    [self, "parts[0]", "parts[0] is an object; it must not contain itself"],
    [deep, `${"parts[0].".repeat(32)}parts`, undefined],
  ] as const) {
    assert.throws(
      () => pool.group(options as unknown as GroupOptions),
      (error) => {
        assert.ok(error instanceof InvalidOptionError);
        assert.equal(error.option, option);
        if (message !== undefined) assert.equal(error.message, message);
        return true;
      },
    );
  }
  assert.deepEqual(childPids(), []);
});

test("two groups of one name cannot live at the same time", async (t) => {
  await using pool = new ProcessPool();
  const journal = newJournal(t);
  const first = pool.group({ name: "app", parts: [journal.service("a")] });
  assert.throws(() => pool.group({ name: "app", parts: [journal.service("b")] }), InvalidOptionError);
  await first.ready;
  assert.equal(journal.read(), "+a a!");
  await first.stop();
  await pool.group({ name: "app", parts: [journal.service("b")] }).ready;
  assert.equal((await rejection(first.start(), InvalidOptionError)).option, "name");
});
