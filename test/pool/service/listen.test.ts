// The option listen of a service: when its sockets are open, and who has them.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { InvalidOptionError, type Isolation, PidpoolError, type Service, type ServiceOptions } from "pidpool";
import { tempDir } from "../../helpers/files.ts";
import { refusal } from "../../helpers/isolation.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { openFds, until } from "../../helpers/processes.ts";

/** Says its pid and LISTEN_PID to whoever connects; ends after so many connections. */
const SPEAKER = (connections = Infinity): string => `
  const { LISTEN_PID, LISTEN_FDS } = process.env;
  let left = ${connections};
  const server = require("net").createServer((socket) => {
    socket.end([process.pid, LISTEN_PID, LISTEN_FDS].join(" "));
    if (--left === 0) server.close();
  }).listen({ fd: 3 });
  process.on("SIGTERM", () => server.close());`;

const ON_ANY = { port: 0, host: "127.0.0.1" } as const;

function speak(pool: ProcessPool, script: string, options: Partial<ServiceOptions> = {}): Service {
  return pool.service({ name: "speaker", file: process.execPath, args: ["-e", script], listen: [ON_ANY], ...options });
}

function portOf(service: Service): number {
  const [address] = service.addresses;
  assert.ok(address !== undefined && "port" in address);
  return address.port;
}

/** What the service says to a new connection. */
async function ask(port: number): Promise<string> {
  return text(connect(port, "127.0.0.1"));
}

/** Whether anybody listens. */
async function open(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

for (const isolation of ["none", "shared", "contained", "private", { pid: "private" }] as const satisfies Isolation[]) {
  test(`${JSON.stringify(isolation)}: a replica answers, and LISTEN_PID is its own pid`, async (t) => {
    const refused = await refusal(isolation);
    if (refused !== false) return t.skip(refused);
    await using pool = new ProcessPool({ isolation });
    const service = speak(pool, SPEAKER());
    const [own = "", named, count] = (await ask(portOf(service))).split(" ");
    assert.match(own, /^\d+$/);
    assert.deepEqual([named, count], [own, "1"]);
  });
}

test("what connects between an end and the restart is answered by the next process", async () => {
  await using pool = new ProcessPool();
  const restart = { policy: "always", backoff: { initial: 1 }, startLimit: { burst: Infinity } } as const;
  const service = speak(pool, SPEAKER(1), { restart });
  const port = portOf(service);
  const answers: string[] = [];
  // Each process serves one connection, so most of these come while there is none.
  for (let i = 0; i < 5; i++) answers.push(await ask(port));
  assert.equal(new Set(answers).size, 5);
});

test("stop() closes the sockets, start() opens them again", async (t) => {
  const path = join(tempDir(t), "s.sock");
  await using pool = new ProcessPool();
  const before = openFds();
  const service = speak(pool, SPEAKER(), { listen: [{ path }] });
  await service.ready;
  assert.deepEqual(service.addresses, [{ name: "unknown", path }]);
  await service.stop();
  assert.deepEqual(service.addresses, []);
  assert.equal(existsSync(path), false);
  await service.start();
  assert.ok(existsSync(path));
  assert.match(await text(connect(path)), /^\d+ \d+ 1$/);
  await pool.destroy();
  assert.equal(existsSync(path), false);
  assert.ok(openFds().length <= before.length);
});

test("stop({ keepSockets }) keeps them for the next start(); the pool closes them when it ends", async () => {
  const pool = new ProcessPool();
  const service = speak(pool, SPEAKER());
  const port = portOf(service);
  await service.ready;
  await service.stop({ keepSockets: true });
  const early = ask(port);
  assert.equal(service.state, "stopped");
  await service.start();
  assert.match(await early, /^\d+ \d+ 1$/);
  await service.stop({ keepSockets: true });
  assert.equal(await open(port), true);
  await pool.close();
  assert.equal(await open(port), false);
  assert.deepEqual(service.addresses, []);
});

test("a service that has failed, or has nothing more to do, lets nobody wait in vain", async () => {
  await using pool = new ProcessPool();
  for (const [script, restart] of [
    ["process.exit(1)", "no"],
    ["", "on-failure"],
  ] as const) {
    const service = speak(pool, script, { restart });
    const port = portOf(service);
    while (service.addresses.length > 0) await once(service as never, "state");
    assert.equal(await open(port), false);
  }
});

test("a port that is taken: the service is not made, its name is free, and nothing is left", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await using pool = new ProcessPool();
  const before = openFds();
  assert.throws(
    () => speak(pool, SPEAKER(), { listen: [ON_ANY, { port, host: "127.0.0.1" }] }),
    (error) => error instanceof PidpoolError && error.code === "ERR_LISTEN" && error.errno === "EADDRINUSE",
  );
  assert.deepEqual(openFds(), before);
  assert.equal(pool.stats().children, 0);
  await speak(pool, SPEAKER()).ready;
});

test("start() rejects where the port was taken meanwhile, and starts nothing", async (t) => {
  await using pool = new ProcessPool();
  const first = speak(pool, SPEAKER());
  const port = portOf(first);
  await first.stop();
  const service = speak(pool, SPEAKER(), { listen: [{ ...ON_ANY, port }] });
  await service.stop();
  const server = createServer().listen(port, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  await assert.rejects(service.start(), { code: "ERR_LISTEN" });
  assert.equal(service.state, "stopped");
  assert.equal(pool.stats().children, 0);
});

test("scale() gives new replicas the same socket", async () => {
  await using pool = new ProcessPool();
  const service = speak(pool, SPEAKER());
  await service.scale(3);
  await service.scale(1);
  assert.match(await ask(portOf(service)), /^\d+ \d+ 1$/);
});

test("restarts by groups keep the sockets: what connects meanwhile is answered by the next process", async () => {
  await using pool = new ProcessPool();
  const speaker = { name: "speaker", file: process.execPath, args: ["-e", SPEAKER()], listen: [ON_ANY] };
  const inner = { name: "inner", strategy: "one_for_all", parts: [speaker] } as const;
  const other = { name: "other", file: "sleep", args: ["1000"], restart: "always" } as const;
  // The end of "other" restarts the inner group, and so stops a service that did nothing wrong.
  const group = pool.group({ name: "outer", strategy: "one_for_all", intensity: 1, parts: [other, inner] });
  await group.ready;
  const service = group.parts.get("inner/speaker") as Service;
  const port = portOf(service);
  const first = await ask(port);
  const kill = (): void => void process.kill(Number((group.parts.get("other") as Service).replicas[0]?.pid), "SIGKILL");
  let meanwhile: Promise<string> | undefined;
  service.on("state", (state) => {
    if (state === "stopped") meanwhile ??= ask(port);
  });
  kill();
  await until(() => meanwhile !== undefined);
  const answer = (await meanwhile) ?? "";
  assert.match(answer, /^\d+ \d+ 1$/);
  assert.notEqual(answer, first);
  await group.ready;
  // Once too often: the group gives up, and nobody waits in vain.
  const failed = new Promise((resolve) => group.once("failed", resolve));
  kill();
  await failed;
  assert.equal(await open(port), false);
  assert.deepEqual(service.addresses, []);
});

test("a service that escalates keeps its sockets for its group, unless that gives up", async () => {
  await using pool = new ProcessPool();
  pool.on("error", () => undefined);
  const restart = { policy: "always", backoff: { initial: 1 }, startLimit: { burst: 1, action: "escalate" } } as const;
  const speaker = { name: "speaker", file: process.execPath, args: ["-e", SPEAKER(1)], listen: [ON_ANY], restart };
  const group = pool.group({ name: "group", strategy: "one_for_all", intensity: 3, parts: [speaker] });
  await group.ready;
  const service = group.parts.get("speaker") as Service;
  const port = portOf(service);
  const failed = new Promise((resolve) => group.once("failed", resolve));
  const pids = new Set<string>();
  for (let i = 0; i < 2; i++) pids.add(await ask(port));
  assert.equal(pids.size, 2);
  while ((group.state as string) !== "failed" && (await open(port)));
  await failed;
  assert.equal(await open(port), false);
});

const WRONG: readonly [options: Partial<ServiceOptions>, option: string, says: RegExp][] = [
  [{ stdio: ["ignore", "inherit", "inherit", "ignore"] }, "stdio[3]", /uses fd 3/],
  [{ ready: { fd: 3 } }, "notify.fd", /take one above/],
  [{ listen: [{ port: -1 }] }, "listen[0].port", /0 to 65535/],
];
for (const [options, option, says] of WRONG) {
  test(`${JSON.stringify(options)} is refused before anything is opened`, async () => {
    await using pool = new ProcessPool();
    const before = openFds();
    assert.throws(
      () => speak(pool, SPEAKER(), options),
      (error) => error instanceof InvalidOptionError && error.option === option && says.test(error.message),
    );
    assert.deepEqual(openFds(), before);
  });
}
