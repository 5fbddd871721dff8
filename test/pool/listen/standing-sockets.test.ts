import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { InvalidOptionError, PidpoolError } from "pidpool";
import type { ListenOptions } from "#pidpool/pool/listen/options.js";
import { planListen } from "#pidpool/pool/listen/options.js";
import { StandingSockets } from "#pidpool/pool/listen/standing-sockets.js";
import { tempDir } from "../../helpers/files.ts";
import { startFixture } from "../../helpers/fixture.ts";
import { AS_NOBODY, notNobody } from "../../helpers/nobody.ts";
import { spawnPassed } from "../../helpers/passed.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { openFds } from "../../helpers/processes.ts";

function open(t: TestContext, ...listen: readonly ListenOptions[]): StandingSockets {
  const sockets = new StandingSockets(planListen(listen));
  t.after(() => sockets.close());
  return sockets;
}

function portOf(sockets: StandingSockets, i = 0): number {
  const address = sockets.addresses[i];
  assert.ok(address !== undefined && "port" in address);
  return address.port;
}

/** The fd in this process of a socket. */
function fdOf(sockets: StandingSockets, i = 0): number {
  return Number(sockets.passTo(undefined).stdio[3 + i]);
}

/** "connected", or the errno. */
async function knock(to: { port: number; host: string } | { path: string }): Promise<string> {
  const socket = connect(to);
  try {
    await once(socket, "connect");
    return "connected";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
  }
}

/** The ERR_LISTEN that opening gives, after which no fd more is open. */
function refused(listen: readonly ListenOptions[]): PidpoolError {
  const before = openFds();
  try {
    new StandingSockets(planListen(listen)).close();
  } catch (error) {
    assert.ok(error instanceof PidpoolError, String(error));
    assert.equal(error.code, "ERR_LISTEN");
    assert.deepEqual(openFds(), before);
    return error;
  }
  return assert.fail("it was opened");
}

async function listening(server: Server, ...where: readonly [string | number, string?]): Promise<void> {
  server.listen(...(where as [number, string]));
  await once(server, "listening");
}

test("a port that the kernel chooses can be read, and is connected to though no program has it yet", async (t) => {
  const sockets = open(t, { port: 0, host: "127.0.0.1", name: "web" });
  const port = portOf(sockets);
  assert.deepEqual(sockets.addresses, [{ name: "web", host: "127.0.0.1", port }]);
  assert.ok(port > 0);
  assert.equal(await knock({ host: "127.0.0.1", port }), "connected");
});

test("the default host is reached by IPv4 and IPv6", async (t) => {
  const sockets = open(t, { port: 0 });
  const [address] = sockets.addresses;
  assert.ok(address !== undefined && "host" in address);
  assert.equal(await knock({ host: "127.0.0.1", port: address.port }), "connected");
  if (address.host !== "::") return t.skip("this machine has no IPv6");
  assert.equal(await knock({ host: "::1", port: address.port }), "connected");
});

test("ipv6Only is not reached by IPv4, and one port may be two sockets", async (t) => {
  let sockets: StandingSockets;
  try {
    sockets = open(t, { port: 0, host: "::", ipv6Only: true });
  } catch (error) {
    return t.skip(String(error));
  }
  const port = portOf(sockets);
  assert.equal(await knock({ host: "127.0.0.1", port }), "ECONNREFUSED");
  open(t, { port, host: "0.0.0.0" });
  assert.equal(await knock({ host: "127.0.0.1", port }), "connected");
});

test("close() ends it, once, and leaves no fd", async () => {
  const before = openFds();
  const sockets = new StandingSockets(planListen([{ port: 0, host: "127.0.0.1" }, { port: 0 }]));
  const port = portOf(sockets);
  assert.equal(openFds().length, before.length + 2);
  sockets.close();
  sockets.close();
  assert.deepEqual(openFds(), before);
  assert.equal(await knock({ host: "127.0.0.1", port }), "ECONNREFUSED");
  assert.deepEqual(sockets.addresses, []);
});

test("its fds are close-on-exec and blocking, unless nonBlocking says otherwise", (t) => {
  const sockets = open(t, { port: 0, host: "127.0.0.1" }, { port: 0, host: "127.0.0.1", nonBlocking: true });
  assert.equal(flagsOf(fdOf(sockets, 0)), 0o2000002);
  assert.equal(flagsOf(fdOf(sockets, 1)), 0o2004002);
});

test("backlog, reusePort and names", async (t) => {
  const first = open(t, { port: 0, host: "127.0.0.1", reusePort: true, name: "a" });
  const port = portOf(first);
  const second = open(t, { port, host: "127.0.0.1", reusePort: true, backlog: 2, name: "b" });
  assert.deepEqual(second.addresses, [{ name: "b", host: "127.0.0.1", port }]);
  const taken = refused([{ port, host: "127.0.0.1" }]);
  assert.equal(taken.errno, "EADDRINUSE");
});

test("a port that is taken: EADDRINUSE, what to do, and all that was opened before is closed", async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await listening(server, 0, "127.0.0.1");
  const { port } = server.address() as { port: number };
  const dir = tempDir(t);
  const error = refused([{ port: 0 }, { path: join(dir, "socket") }, { port, host: "127.0.0.1" }]);
  assert.equal(error.syscall, "bind");
  assert.equal(error.errno, "EADDRINUSE");
  assert.match(error.message, new RegExp(`^cannot listen on port ${port} of 127.0.0.1: bind: .*ss -ltnp`));
  assert.equal(existsSync(join(dir, "socket")), false);
});

test("an address that no interface has: EADDRNOTAVAIL", () => {
  const error = refused([{ port: 0, host: "192.0.2.1" }]);
  assert.equal(error.errno, "EADDRNOTAVAIL");
  assert.match(error.message, /no interface of this machine has that address/);
});

test("a low port as an ordinary user: EACCES, and what to do", { skip: notNobody }, async (t) => {
  const { stdout, stderr } = await startFixture("listens", ['[{"port":80,"host":"127.0.0.1"}]'], AS_NOBODY).ended;
  if (stdout.startsWith("{")) return t.skip("an ordinary user may bind port 80 here");
  assert.match(stdout, /^ERR_LISTEN EACCES cannot listen on port 80 of 127\.0\.0\.1: .*CAP_NET_BIND_SERVICE/, stderr);
});

test("a unix socket: its file is there with the socket, has the mode whatever the umask, and goes with it", async (t) => {
  const dir = tempDir(t);
  const umask = process.umask(0o077);
  try {
    const path = join(dir, "a.sock");
    const sockets = open(t, { path, mode: 0o662, name: "local" }, { path: join(dir, "b.sock") });
    assert.deepEqual(sockets.addresses[0], { name: "local", path });
    assert.equal(lstatSync(path).mode & 0o777, 0o662);
    assert.equal(lstatSync(join(dir, "b.sock")).mode & 0o777, 0o700);
    assert.equal(await knock({ path }), "connected");
    sockets.close();
    assert.equal(existsSync(path), false);
    assert.equal(existsSync(join(dir, "b.sock")), false);
  } finally {
    process.umask(umask);
  }
});

test("a file that a dead server left is replaced", async (t) => {
  const path = join(tempDir(t), "stale.sock");
  const server = createServer();
  await listening(server, path);
  // Closing it would remove the file by its path.
  renameSync(path, `${path}.kept`);
  await new Promise((resolve) => server.close(resolve));
  renameSync(`${path}.kept`, path);
  assert.equal(await knock({ path }), "ECONNREFUSED");
  open(t, { path });
  assert.equal(await knock({ path }), "connected");
});

test("a socket that somebody listens behind stays theirs, its backlog full or not", async (t) => {
  const path = join(tempDir(t), "live.sock");
  const sockets = open(t, { path, backlog: 1 });
  for (let i = 0; i < 4; i++) {
    const error = refused([{ path }]);
    assert.equal(error.errno, "EADDRINUSE");
    assert.match(error.message, /a program listens there/);
  }
  assert.ok(lstatSync(path).isSocket());
  sockets.close();
  open(t, { path });
});

test("a file that is no socket is left alone, and so is what a symbolic link leads to", (t) => {
  const path = join(tempDir(t), "file");
  writeFileSync(path, "precious");
  assert.match(refused([{ path }]).message, /EADDRINUSE\); there is a file that is no socket/);
  symlinkSync(path, `${path}.link`);
  assert.match(refused([{ path: `${path}.link` }]).message, /no socket/);
  assert.equal(lstatSync(path).size, 8);
});

test("a directory that is missing, or closed to this user", { skip: notNobody }, async (t) => {
  const dir = tempDir(t);
  const error = refused([{ path: join(dir, "missing", "x.sock") }]);
  assert.equal(error.errno, "ENOENT");
  assert.match(error.message, /its directory must exist/);
  mkdirSync(join(dir, "closed"));
  chmodSync(dir, 0o755);
  const { stdout, stderr } = await startFixture(
    "listens",
    [JSON.stringify([{ path: join(dir, "closed", "x.sock") }])],
    AS_NOBODY,
  ).ended;
  assert.match(stdout, /^ERR_LISTEN EACCES .*may not create files/, stderr);
});

test("close() leaves a file that has taken the place of its own", async (t) => {
  const path = join(tempDir(t), "moved.sock");
  const sockets = open(t, { path });
  renameSync(path, `${path}.old`);
  const successor = open(t, { path });
  sockets.close();
  assert.equal(await knock({ path }), "connected");
  successor.close();
  assert.equal(existsSync(path), false);
});

test("close() closes all, though a file cannot be reached any more", (t) => {
  const directory = join(tempDir(t), "gone");
  mkdirSync(directory);
  const before = openFds();
  const sockets = new StandingSockets(planListen([{ path: join(directory, "a.sock") }, { port: 0 }]));
  rmSync(directory, { recursive: true });
  symlinkSync("gone", directory);
  sockets.close();
  assert.deepEqual(openFds(), before);
});

test("an fd that listens is duplicated: theirs and ours are closed apart", async (t) => {
  const theirs = open(t, { port: 0, host: "127.0.0.1" });
  const port = portOf(theirs);
  const ours = open(t, { fd: fdOf(theirs), name: "handed" });
  assert.deepEqual(ours.addresses, [{ name: "handed", host: "127.0.0.1", port }]);
  theirs.close();
  assert.equal(await knock({ host: "127.0.0.1", port }), "connected");
  ours.close();
  assert.equal(await knock({ host: "127.0.0.1", port }), "ECONNREFUSED");
});

test("an fd that is closed, a file, or a socket that does not listen, is refused", () => {
  const before = openFds();
  for (const fd of [999_999, 0]) {
    assert.throws(
      () => new StandingSockets(planListen([{ port: 0 }, { fd }])),
      (error) => error instanceof InvalidOptionError && error.option === "listen[1].fd" && error.value === fd,
    );
  }
  assert.deepEqual(openFds(), before);
});

test("children find them from fd 3 on, and nothing else; what connected before they began is theirs to accept", async (t) => {
  const path = join(tempDir(t), "s.sock");
  const sockets = open(t, { port: 0, host: "127.0.0.1", name: "web" }, { path, name: "local" });
  const early = connect(portOf(sockets), "127.0.0.1");
  await once(early, "connect");
  await using pool = new ProcessPool();
  const script =
    'ls /proc/self/fd; for fd in 3 4; do readlink /proc/$$/fd/$fd; done; echo "$LISTEN_FDS $LISTEN_FDNAMES"';
  const child = await spawnPassed(pool, sockets.passTo(["ignore", "pipe", "inherit"]), "sh", ["-c", script]);
  const lines = (await text(child.stdout as NodeJS.ReadableStream)).trim().split("\n");
  // 5 is ls's own.
  assert.deepEqual(lines.slice(0, 6), ["0", "1", "2", "3", "4", "5"]);
  assert.match(lines.slice(6).join(" "), /^socket:\[\d+\] socket:\[\d+\] 2 web:local$/);
  const server = await spawnPassed(
    pool,
    sockets.passTo(["ignore", "ignore", "inherit"]),
    process.execPath,
    ["-e", 'require("net").createServer((s) => s.end(`by ${process.pid}`)).listen({ fd: 3 })'],
    { env: process.env, isolation: "none" },
  );
  assert.equal(await text(early), `by ${server.pid}`);
  server.kill("SIGKILL");
  await server.exited;
});

/** In octal, from proc_pid_fdinfo(5). */
function flagsOf(fd: number): number {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
  return Number.parseInt(/^flags:\s*(\d+)$/m.exec(info)?.[1] ?? "", 8);
}
