// What children say of themselves, from the datagram to the event and the
// report.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ExitError, InvalidOptionError, type Notification, type Process } from "pidpool";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { givenGroup, noCgroups } from "../helpers/cgroups.ts";
import { compile } from "../helpers/compile.ts";
import { rejection } from "../helpers/errors.ts";
import { refusal } from "../helpers/isolation.ts";
import { isAlive, openFds, until } from "../helpers/processes.ts";
import { ProcessPool } from "../helpers/pool.ts";
import { said } from "../helpers/wait.ts";

const { file = "", unavailable: skip } = compile("speak") as { file?: string; unavailable: string | false };

/** Starts the speaker, with stdin and stdout as pipes. */
function speaker(pool: ProcessPool, words: string[], options: object = {}): Promise<Process> {
  return pool.spawn(file, words, { notify: true, stdio: ["pipe", "pipe", "inherit"], ...options });
}

/** All notifications of a child, up to its end. */
async function allOf(child: Process): Promise<Notification[]> {
  const heard: Notification[] = [];
  child.on("notify", (notification) => heard.push(notification));
  await child.exited;
  return heard;
}

test("a notification is an event, in its parts", { skip }, async () => {
  await using pool = new ProcessPool();
  const heard = await allOf(await speaker(pool, ["READY=1\nSTATUS=up\nERRNO=2\nEXIT_STATUS=3\nX_OWN=y"]));
  assert.deepEqual(heard, [
    {
      ready: true,
      reloading: false,
      stopping: false,
      status: "up",
      errno: "ENOENT",
      exitStatus: 3,
      extendTimeout: null,
      fields: { READY: "1", STATUS: "up", ERRNO: "2", EXIT_STATUS: "3", X_OWN: "y" },
    },
  ]);
});

test("one who listens right after spawn() misses nothing, however fast the child ends", { skip }, async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const children = Array.from({ length: 200 }, async (_, i) => {
    const child = await pool.spawn(file, [`READY=1\nSTATUS=${i}`], { notify: true, stdio: "ignore" });
    const order: string[] = [];
    child.on("notify", ({ status }) => order.push(String(status)));
    child.on("exit", ({ message }) => order.push(`exit ${message}`));
    await child.exited;
    assert.deepEqual(order, [String(i), `exit ${i}`]);
  });
  await Promise.all(children);
});

test("the last words before the end are the report's message", { skip }, async () => {
  await using pool = new ProcessPool();
  const message = async (...words: string[]): Promise<string | null> =>
    (await pool.run(file, words, { notify: true, check: false })).exit.message;
  assert.equal(
    await message("STATUS=first", "STATUS=cannot open camera\nERRNO=13", "@exit:1"),
    "cannot open camera (EACCES)",
  );
  assert.equal(await message("STATUS=dying", "@abort"), "dying");
  assert.equal(await message("ERRNO=28", "@exit:1"), "ENOSPC: no space left on device");
  assert.equal(await message("READY=1"), null);
  assert.equal((await pool.run("true")).exit.message, null);
});

test("an ExitError has them, too", { skip }, async () => {
  await using pool = new ProcessPool();
  const error = await rejection(pool.run(file, ["STATUS=no camera", "@exit:3"], { notify: true }), ExitError);
  assert.equal(error.exit.message, "no camera");
});

test("ready resolves on READY=1, also for one who asks later", { skip }, async () => {
  await using pool = new ProcessPool();
  const child = await speaker(pool, ["STATUS=starting", "@wait", "READY=1", "@wait"]);
  let isReady = false;
  const ready = child.ready.then(() => (isReady = true));
  await new Promise<void>((resolve) => child.once("notify", () => resolve()));
  assert.equal(isReady, false);
  (child.stdin as NodeJS.WritableStream).write("\n");
  await ready;
  await child.ready;
  (child.stdin as NodeJS.WritableStream).end();
  await child.exited;
  await child.ready;
});

test("ready rejects where the child ends before, and only for one who asks", { skip }, async () => {
  await using pool = new ProcessPool();
  const child = await speaker(pool, ["STATUS=no camera", "@exit:3"]);
  const error = await rejection(child.ready, ExitError);
  assert.match(error.message, /^it was never ready: "[^"]+" exited with code 3/);
  assert.equal(error.exit.message, "no camera");
  assert.equal(await rejection(child.ready, ExitError), error);
  await (
    await speaker(pool, ["@exit:3"])
  ).exited;
  const dumb = await pool.spawn("true", [], { stdio: "ignore" });
  await rejection(dumb.ready, InvalidOptionError);
});

test("a newline on a notification fd means ready; anything else means nothing", async () => {
  await using pool = new ProcessPool();
  const spawn = (script: string, fd: number): Promise<Process> =>
    pool.spawn("sh", ["-c", script], { notify: { fd }, stdio: ["pipe", "pipe", "inherit"] });
  const child = await spawn("printf some >&5; printf 'thing\\n' >&5; exec cat", 5);
  await child.ready;
  (child.stdin as NodeJS.WritableStream).end();
  await child.exited;
  // What lies in the pipe at the end counts.
  await (
    await spawn("echo >&3", 3)
  ).ready;
  await rejection((await spawn("printf x >&3; exec 3>&-", 3)).ready, ExitError);
  await rejection((await spawn("head -c 100000 /dev/zero >&3; echo >&3", 3)).ready, ExitError);
});

test("those whom the child has started speak for it, and so do members of its session", { skip }, async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const own = await pool.run(file, ["@fork", "@fork", "STATUS=grandchild", "@fd"], { notify: true });
  assert.equal(own.exit.message, "grandchild");
  const away = await pool.run(file, ["@session", "STATUS=in a session", "@fd"], { notify: true });
  assert.equal(away.exit.message, "in a session");
});

test("strangers do not: the child of another child, nor one that has left the family", { skip }, async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const child = await speaker(pool, ["STATUS=mine", "@print:said", "@wait"]);
  await said(child.stdout as AsyncIterable<Buffer>, "said");
  const path = environment(child.pid, "NOTIFY_SOCKET");
  const env = { NOTIFY_SOCKET: path };
  await pool.run(file, ["STATUS=forged", "@fd"], { env });
  (child.stdin as NodeJS.WritableStream).end();
  assert.equal((await child.exited).message, "mine");
  const left = await speaker(pool, ["STATUS=mine", "@orphan", "STATUS=an orphan's", "@fd", "@print:said", "@wait"]);
  await said(left.stdout as AsyncIterable<Buffer>, "said");
  (left.stdin as NodeJS.WritableStream).end();
  assert.equal((await left.exited).message, "mine");
});

/** One that has left the family speaks for it; then the child ends. */
async function orphanSpeaks(options: object): Promise<string | null> {
  await using pool = new ProcessPool();
  const words = ["STATUS=mine", "@orphan", "STATUS=an orphan's", "@fd", "@print:said", "@wait"];
  const child = await speaker(pool, words, options);
  await said(child.stdout as AsyncIterable<Buffer>, "said");
  (child.stdin as NodeJS.WritableStream).end();
  return (await child.exited).message;
}

test("whoever is in a pid namespace of the child's own speaks for it", { skip }, async (t) => {
  const isolation = { pid: "private" } as const;
  const why = await refusal(isolation);
  if (why !== false) return t.skip(why);
  return assert.equal(await orphanSpeaks({ isolation }), "an orphan's");
});

test("whoever is in a cgroup of the child's own speaks for it", { skip: skip || noCgroups }, async (t) => {
  const cgroup = await givenGroup(t);
  assert.equal(await orphanSpeaks({ isolation: "none", cgroup }), "an orphan's");
});

function environment(pid: number, name: string): string {
  const text = readFileSync(`/proc/${pid}/environ`, "utf8");
  return (
    text
      .split("\0")
      .find((entry) => entry.startsWith(`${name}=`))
      ?.slice(name.length + 1) ?? ""
  );
}

test("messages that are none are ignored; MAINPID= changes nothing", { skip }, async () => {
  await using pool = new ProcessPool();
  const child = await speaker(pool, ["@nul", "@long", "", "=", "MAINPID=1\nSTATUS=fine"]);
  const heard = await allOf(child);
  assert.deepEqual(
    heard.map(({ status }) => status),
    ["fine"],
  );
  assert.notEqual(child.pid, 1);
  assert.equal(child.exit?.message, "fine");
});

test("fds that come along are closed at once", { skip }, async () => {
  await using pool = new ProcessPool();
  await pool.run(file, ["READY=1"], { notify: true });
  const before = openFds().length;
  // It waits until nobody else has its fd.
  const child = await speaker(pool, ["@fd", "@fork", "@fd", "@print:closed", "@wait"]);
  await said(child.stdout as AsyncIterable<Buffer>, "closed");
  (child.stdin as NodeJS.WritableStream).end();
  await child.exited;
  await until(() => openFds().length <= before);
});

test("a child that floods its socket is heard in few notifications, and others at once", { skip }, async () => {
  await using pool = new ProcessPool({ threads: 1 });
  const began = performance.now();
  const loud = await speaker(pool, ["@flood", "@wait"]);
  let heard = 0;
  let last = "";
  loud.on("notify", ({ status }) => {
    heard++;
    last = status ?? last;
  });
  // More than it may say at once: it has had to wait for room.
  await until(() => heard >= 20);
  const quiet = await speaker(pool, ["READY=1", "@wait"]);
  await quiet.ready;
  loud.kill("SIGKILL");
  await loud.exited;
  const seconds = (performance.now() - began) / 1000;
  assert.ok(Number(last) >= heard);
  // 16 hearings a tenth of a second, of one notification each, and one more at the end.
  assert.ok(heard <= 160 * (seconds + 0.2) + 1, `${heard} in ${seconds} s`);
  quiet.kill("SIGKILL");
});

test("a flood from far down a child's tree does not keep the supervisor in /proc", { skip }, async () => {
  await using pool = new ProcessPool({ isolation: "none", threads: 1 });
  const generations = Array.from({ length: 200 }, () => "@fork");
  const child = await speaker(pool, [...generations, "@flood"]);
  const heard = (n: number): Promise<void> =>
    new Promise((resolve) => {
      child.on("notify", ({ status }) => {
        if (Number(status) >= n) resolve();
      });
    });
  await heard(1);
  const [before, begun] = [process.cpuUsage(), performance.now()];
  await heard(500);
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1000 / (performance.now() - begun);
  child.kill("SIGKILL", { tree: true });
  assert.ok(share < 0.3, `${share}`);
});

test("all of a flood is read in the end, if it is no more than the queue", { skip }, async () => {
  await using pool = new ProcessPool();
  const { exit } = await pool.run(file, [...Array.from({ length: 300 }, (_, i) => `STATUS=${i}`), "READY=1"], {
    notify: true,
  });
  assert.equal(exit.message, "299");
});

test("the death of a supervisor thread loses nothing that was not being read", { skip }, async () => {
  await using pool = new ProcessPool({ threads: 1 });
  const child = await speaker(pool, ["STATUS=one", "@wait", "STATUS=two", "READY=1", "@wait", "STATUS=three", "@wait"]);
  const heard: (string | null)[] = [];
  child.on("notify", ({ status }) => heard.push(status));
  await until(() => heard.length === 1);
  const dying = new Promise((resolve) => pool.once("error", resolve));
  supervisorsOf(pool)?.all[0]?.send({ slot: "none" } as never);
  (child.stdin as NodeJS.WritableStream).write("\n");
  await Promise.all([dying, child.ready]);
  (child.stdin as NodeJS.WritableStream).write("\n");
  await until(() => heard.includes("three"));
  (child.stdin as NodeJS.WritableStream).end();
  assert.equal((await child.exited).message, "three");
  assert.deepEqual(
    heard.filter((status) => status !== null),
    ["one", "two", "three"],
  );
});

test("what lies in the queue while there is no supervisor is heard by the next one", { skip }, async () => {
  await using pool = new ProcessPool({ threads: 1 });
  const child = await speaker(pool, ["@print:begun", "@wait", "STATUS=last words", "@exit:1"]);
  await said(child.stdout as AsyncIterable<Buffer>, "begun");
  const dying = new Promise((resolve) => pool.once("error", resolve));
  supervisorsOf(pool)?.all[0]?.send({ slot: "none" } as never);
  (child.stdin as NodeJS.WritableStream).end();
  assert.equal((await child.exited).message, "last words");
  await dying;
  assert.equal(isAlive(child.pid), false);
});
