// The end of stderr in reports: of what is captured or piped anyway, and of
// what passes through the supervisor on its way elsewhere.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { InvalidOptionError } from "pidpool";
import { mmap, munmap, pipe, socketPair } from "#pidpool/native/syscalls.js";
import { MANNER, openPassOn, passOn } from "#pidpool/pool/pass-on.js";
import { supervisorsOf } from "#pidpool/pool/pool.js";
import { rejection } from "../helpers/errors.ts";
import { openFds, until } from "../helpers/processes.ts";
import { ProcessPool } from "../helpers/pool.ts";

/** A pipe of ours, as [read, write]; closed when the test has ended, unless a stream has taken it over. */
function ownPipe(t: TestContext): [number, number] {
  const ends = new Int32Array(2);
  assert.equal(pipe(ends), 0);
  const [reader = -1, writer = -1] = ends;
  t.after(() => closeSync(writer));
  return [reader, writer];
}

function directory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "pidpool-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** All numbers up to n, a line each, as seq(1) writes them. */
function numbers(n: number): string {
  return Array.from({ length: n }, (_, i) => `${i + 1}\n`).join("");
}

const SEQ = "seq 1 200000 >&2";
const ALL = numbers(200_000);

test("of captured output, at most 4 KiB by default, whatever its form", async () => {
  await using pool = new ProcessPool();
  for (const encoding of ["utf8", "buffer", "hex", "latin1"] as const) {
    const { exit } = await pool.run("sh", ["-c", SEQ], { encoding });
    assert.equal(exit.stderrTail, ALL.slice(-4096), encoding);
  }
  assert.equal((await pool.run("sh", ["-c", "echo one >&2"])).exit.stderrTail, "one\n");
  assert.equal((await pool.run("true")).exit.stderrTail, "");
  assert.equal((await pool.run("sh", ["-c", SEQ], { stderrTail: 7 })).exit.stderrTail, "200000\n");
  assert.equal((await pool.run("sh", ["-c", SEQ], { stderrTail: 0 })).exit.stderrTail, null);
});

test("of a piped stderr, without reading more of it than its reader lets through", async () => {
  await using pool = new ProcessPool();
  const read = await pool.spawn("sh", ["-c", SEQ]);
  assert.equal((await buffer(read.stderr)).toString(), ALL);
  assert.equal((await read.exited).stderrTail, ALL.slice(-4096));

  const held = await pool.spawn("sh", ["-c", SEQ]);
  held.stderr.pause();
  await until(() => held.stderr.readableLength > 0);
  held.kill("SIGKILL");
  const { stderrTail } = await held.exited;
  assert.ok(held.stderr.readableLength < 200_000, `${held.stderr.readableLength}`);
  const so_far = ALL.slice(0, held.stderr.readableLength);
  assert.ok(stderrTail !== null && so_far.includes(stderrTail) && stderrTail.length >= 4093);
  held.stderr.destroy();
});

test("what goes to the master of a pseudoterminal goes to that one", (t) => {
  const master = openSync("/dev/ptmx", "r+");
  t.after(() => closeSync(master));
  const index = (fd: number): string | undefined =>
    /^tty-index:.*$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[0];
  const target = openPassOn(master);
  assert.ok(typeof target === "object");
  t.after(() => closeSync(target.fd));
  assert.equal(target.manner, MANNER.asked);
  assert.ok(index(master) !== undefined);
  assert.equal(index(target.fd), index(master));
});

test("without the option, inherited and ignored output has none, and no pipe either", async () => {
  await using pool = new ProcessPool();
  for (const stderr of ["ignore", 2] as const) {
    const { exit, stdout } = await pool.run("readlink", ["/proc/self/fd/2"], { stdio: ["ignore", "capture", stderr] });
    assert.equal(exit.stderrTail, null);
    assert.doesNotMatch(stdout, stderr === 2 && fstatSync(2).isFIFO() ? /^$/ : /pipe/);
  }
});

test("of ignored output, where it is asked for", async () => {
  await using pool = new ProcessPool();
  const { exit, stderr, truncated } = await pool.run("sh", ["-c", SEQ], {
    stdio: ["ignore", "capture", "ignore"],
    stderrTail: 100_000,
  });
  assert.equal(exit.stderrTail, ALL.slice(-100_000));
  assert.deepEqual([stderr, truncated], [null, null]);
});

test("to a file everything arrives, behind what is there", async (t) => {
  await using pool = new ProcessPool();
  const path = join(directory(t), "log");
  writeFileSync(path, "before\n");
  const fd = openSync(path, "a");
  t.after(() => closeSync(fd));
  const { exit } = await pool.run("sh", ["-c", SEQ], { stdio: ["ignore", "ignore", fd], stderrTail: 14 });
  assert.equal(exit.stderrTail, "199999\n200000\n");
  assert.ok(readFileSync(path, "utf8") === `before\n${ALL}`);
});

test("bytes pass as they are", async (t) => {
  await using pool = new ProcessPool();
  const [reader, writer] = ownPipe(t);
  const socket = new Socket({ fd: reader });
  const path = join(directory(t), "bytes");
  const bytes = randomBytes(300_001);
  writeFileSync(path, bytes);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  const { exit } = await pool.run("sh", ["-c", 'cat "$0" >&2', path], {
    stdio: ["ignore", "ignore", writer],
    stderrTail: 1000,
  });
  await until(() => chunks.reduce((sum, { length }) => sum + length, 0) >= bytes.length);
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.equal(exit.stderrTail, bytes.toString("utf8", firstOfCharacter(bytes, bytes.length - 1000)));
  socket.destroy();
});

function firstOfCharacter(bytes: Buffer, from: number): number {
  let at = from;
  while (at < from + 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return at;
}

/** Runs what writes a lot to stderr while nobody reads there, and then reads. */
async function blocked(pool: ProcessPool, stderr: number, read: () => AsyncIterable<Buffer>): Promise<void> {
  const child = await pool.spawn("sh", ["-c", SEQ], { stdio: ["ignore", "ignore", stderr], stderrTail: 4096 });
  // The same thread goes on with its other children.
  for (let i = 0; i < 50; i++) assert.equal((await pool.run("echo", ["through"])).stdout, "through\n");
  assert.equal(child.exit, undefined, "the child waits for its reader");
  let all = "";
  for await (const chunk of read()) {
    all += chunk.toString("latin1");
    if (all.length >= ALL.length) break;
  }
  assert.ok(all === ALL, `${all.length} bytes`);
  const { exit, truncated } = await child.result;
  assert.equal(exit.stderrTail, ALL.slice(-4096));
  assert.equal(truncated, null);
}

test("a pipe that nobody reads holds up the child, and nobody else", async (t) => {
  await using pool = new ProcessPool({ threads: 1 });
  const [reader, writer] = ownPipe(t);
  await blocked(pool, writer, () => new Socket({ fd: reader }));
});

test("so does a socket", async (t) => {
  await using pool = new ProcessPool({ threads: 1 });
  const ends = new Int32Array(2);
  assert.equal(socketPair(ends), 0);
  const [near = -1, far = -1] = ends;
  t.after(() => closeSync(near));
  await blocked(pool, near, () => new Socket({ fd: far }));
});

test("and a pipe that may not be opened anew is asked before each write", (t) => {
  const [reader, writer] = ownPipe(t);
  const memory = mmap(4096);
  t.after(() => munmap(memory, 4096));
  let written = 0;
  let n = 0;
  while ((n = passOn({ fd: writer, manner: MANNER.asked }, memory, 4096)) > 0) written += n;
  assert.equal(n, -11);
  assert.ok(written >= 4096);
  closeSync(reader);
  assert.equal(passOn({ fd: writer, manner: MANNER.asked }, memory, 4096), -32);
});

test("where nobody takes the rest, outputGrace ends it: said to be truncated, and the tail is right", async (t) => {
  await using pool = new ProcessPool();
  const [reader, writer] = ownPipe(t);
  t.after(() => closeSync(reader));
  const { exit, truncated } = await pool.run("sh", ["-c", "head -c 100000 /dev/zero >&2; echo end >&2"], {
    stdio: ["ignore", "ignore", writer],
    stderrTail: 10,
    outputGrace: 30,
  });
  assert.equal(exit.stderrTail, "\0\0\0\0\0\0end\n");
  assert.equal(truncated, "blocked");
});

test("a reader that goes away is a broken pipe for the child, too", async (t) => {
  await using pool = new ProcessPool({ isolation: "none" });
  const [reader, writer] = ownPipe(t);
  const child = await pool.spawn("sh", ["-c", "exec yes >&2"], { stdio: ["ignore", "ignore", writer], stderrTail: 4 });
  const socket = new Socket({ fd: reader });
  await once(socket, "data");
  socket.destroy();
  const { exit } = await child.result;
  assert.deepEqual([exit.status, exit.status === "signaled" ? exit.signal : exit], ["signaled", "SIGPIPE"]);
  assert.equal(exit.stderrTail, "y\ny\n");
});

test("a grandchild that holds it does not hold the report", async (t) => {
  await using pool = new ProcessPool({ isolation: "none" });
  const [reader, writer] = ownPipe(t);
  const socket = new Socket({ fd: reader });
  const child = await pool.spawn("sh", ["-c", "(read line <&3) & echo now >&2"], {
    stdio: ["ignore", "ignore", writer, "pipe"],
    stderrTail: 4096,
    outputGrace: 20,
  });
  const { exit, truncated } = await child.result;
  assert.equal(exit.stderrTail, "now\n");
  assert.equal(truncated, "held-open");
  assert.equal(String((await once(socket, "data"))[0]), "now\n");
  child.stdio[3]?.destroy();
  socket.destroy();
});

test("nothing of it dies with a supervisor thread", async (t) => {
  await using pool = new ProcessPool({ threads: 1 });
  const [reader, writer] = ownPipe(t);
  const script = "seq 1 100000 >&2; read line; seq 100001 200000 >&2";
  const child = await pool.spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", writer], stderrTail: 1 << 20 });
  const kill = async (): Promise<void> => {
    const died = new Promise((resolve) => pool.once("error", resolve));
    supervisorsOf(pool)?.all[0]?.send({ slot: "none" } as never);
    await died;
  };
  // Once while nobody reads, and it waits for that; once in the middle of it.
  await kill();
  const socket = new Socket({ fd: reader });
  let all = "";
  let deaths = 1;
  for await (const chunk of socket) {
    all += String(chunk);
    if (all.length >= 300_000 && deaths === 1) {
      deaths = 2;
      await kill();
      child.stdin.end("go\n");
    }
    if (all.length >= ALL.length) break;
  }
  assert.ok(all === ALL, `${all.length} bytes`);
  const { exit, truncated } = await child.result;
  assert.ok(exit.stderrTail === ALL.slice(-(1 << 20)), `${exit.stderrTail?.length}`);
  assert.equal(truncated, null);
});

test("every way leaves no fd", async (t) => {
  await using pool = new ProcessPool({ isolation: "none", check: false });
  const [reader, writer] = ownPipe(t);
  const socket = new Socket({ fd: reader }).resume();
  const options = { stdio: ["ignore", "ignore", writer], stderrTail: 100, outputGrace: 10 } as const;
  const everything = async (): Promise<void> => {
    await Promise.allSettled([
      pool.run("sh", ["-c", "echo x >&2"], options),
      pool.run("sh", ["-c", "sleep 0.1 & echo x >&2"], options),
      pool.run("no-such-program", [], options),
      pool.run("sh", ["-c", "yes >&2"], { ...options, timeout: 30 }),
      pool.run("true", [], { ...options, stdio: ["ignore", "ignore", "ignore"] }),
      pool.run("true", [], { ...options, signal: AbortSignal.abort() }),
    ]);
  };
  await everything();
  const before = openFds().length;
  await everything();
  await until(() => openFds().length <= before);
  socket.destroy();
});

test("a file keeps its own end", async (t) => {
  await using pool = new ProcessPool();
  const stdio = ["ignore", "ignore", { file: join(directory(t), "log") }] as const;
  const error = await rejection(pool.run("true", [], { stdio, stderrTail: 10 }), InvalidOptionError);
  assert.equal(error.option, "stderrTail");
  await using defaults = new ProcessPool({ stderrTail: 10 });
  assert.equal((await defaults.run("true", [], { stdio })).exit.stderrTail, null);
});

test("a launch that fails leaves no memory of a tail, which the next child's output would be read into", async () => {
  await using pool = new ProcessPool({ threads: 1, concurrency: 16 });
  const fd = openSync("/dev/null", "w");
  const options = { stdio: ["ignore", "ignore", fd], stderrTail: 100 } as const;
  await Promise.allSettled(Array.from({ length: 1000 }, () => pool.run("/no/such/program", [], options)));
  closeSync(fd);
  const region = supervisorsOf(pool)?.all[0]?.launcher.region;
  assert.ok(region);
  const left = Array.from({ length: 64 }, (_, slot) => region.doubles[region.bulk(slot, 0)]);
  assert.deepEqual(left.filter(Boolean), []);
});
