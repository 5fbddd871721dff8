// Options are read once. Each test is a bug that the fuzz, or the look for what to
// fuzz, has found; see docs/reliability.md.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { explain, InvalidOptionError, type ExitReport } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { ProcessPool } from "../helpers/pool.ts";
import * as pidpool from "pidpool";

/** The InvalidOptionError that a call must throw or reject with. */
async function refused(call: () => unknown): Promise<InvalidOptionError> {
  return rejection((async () => call())(), InvalidOptionError);
}

/** Options of which one answers `first` when it is read for the first time, and `then` from then on. */
function fickle(key: string, first: unknown, then: unknown): object {
  let times = 0;
  return Object.defineProperty({}, key, { enumerable: true, get: () => (times++ === 0 ? first : then) });
}

test("an option is not checked by one value and used by another", async () => {
  await using pool = new ProcessPool(fickle("umask", 0o22, "none"));
  await using limited = new ProcessPool({ limits: fickle("core", 0, "none") });
  const command = pool.command("true", [], { ...fickle("cwd", "/", 5), limits: fickle("core", 0, -1) });
  await Promise.all([pool.run("true"), limited.run("true"), command.run(), command.run()]);
  const { stdout } = await pool.run("pwd", [], fickle("cwd", "/", "/tmp"));
  assert.equal(stdout, "/\n");
});

test("what a getter throws is the cause of an error that names the option", async () => {
  await using pool = new ProcessPool();
  const boom = new Error("boom");
  const throwing = (key: string): Record<string, never> =>
    Object.defineProperty({}, key, {
      enumerable: true,
      get: () => {
        throw boom;
      },
    });
  for (const [option, options] of [
    ["timeout", throwing("timeout")],
    ["limits.core", { limits: throwing("core") }],
    ['env["A"]', { env: throwing("A") }],
    ["stdio[1].file", { stdio: [null, throwing("file")] }],
    ["isolation.mount.tmp", { isolation: { mount: throwing("tmp") } }],
  ] as const) {
    const error = await refused(() => pool.run("true", [], options as object));
    assert.equal(error.option, option);
    assert.equal(error.cause, boom);
    assert.match(error.message, /cannot be read/);
  }
  const service = await refused(() => pool.service(throwing("replicas") as never));
  assert.deepEqual([service.option, service.cause], ["replicas", boom]);
});

test("a Proxy is read as what it stands for, and one that is revoked is refused", async () => {
  await using pool = new ProcessPool();
  const { stdout } = await pool.run("pwd", new Proxy([], {}), new Proxy({ cwd: "/" }, {}));
  assert.equal(stdout, "/\n");
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const call of [
    () => pool.run("true", [], proxy),
    () => pool.run("true", proxy as string[]),
    () => pool.run(proxy as string),
    () => pool.run("true", [], { env: proxy }),
    () => pool.run("true", [], { limits: proxy }),
    () => pool.run("true", [], { input: proxy as never }),
    () => new pidpool.ProcessPool(proxy),
    () => pool.service(proxy as never),
    () => pool.group(proxy as never),
    () => pool.command("true").warm(proxy),
    () => explain(proxy as ExitReport),
  ])
    await refused(call);
});

test("a revoked Proxy of a function is refused like one of an object, in overrides too", async () => {
  await using pool = new ProcessPool();
  const { proxy, revoke } = Proxy.revocable(() => undefined, {});
  revoke();
  const given = proxy as never;
  const command = pool.command("true");
  for (const call of [
    () => pool.run("true", [], given),
    () => pool.run("true", given),
    () => pool.run("true", [], { stdio: given }),
    () => pool.run("true", [], { stdio: [given] }),
    () => pool.run("true", [], { env: given }),
    () => pool.run("true", [], { limits: { io: given } }),
    () => command.run({ stdio: given }),
    () => command.spawn({ input: given }),
    () => pool.service({ name: "x", file: "true", listen: given }),
    () => command.warm(given),
  ])
    await refused(call);
});

test("null for options is an InvalidOptionError, not a TypeError", async () => {
  await using pool = new ProcessPool();
  const nothing = null as never;
  const child = await pool.spawn("sleep", ["100000"], { stdio: "ignore" });
  const service = pool.service({ name: "s", file: "sleep", args: ["100000"], stdio: "ignore" });
  const group = pool.group({ name: "g", parts: [{ name: "s", file: "sleep", args: ["100000"], stdio: "ignore" }] });
  for (const call of [
    () => pool.command("true", [], nothing),
    () => child.kill("SIGTERM", nothing),
    () => service.stop(nothing),
    () => group.stop(nothing),
    () => explain(nothing),
  ])
    await refused(call);
  await Promise.all([service.stop(), group.stop()]);
});

test("kill() does not take a wrong switch for false, and signal only the process", async () => {
  await using pool = new ProcessPool();
  await using child = await pool.spawn("sleep", ["100000"], { stdio: "ignore" });
  assert.equal((await refused(() => child.kill("SIGTERM", { group: 1 as never }))).option, "group");
  assert.equal((await refused(() => child.kill("SIGTERM", { groups: true } as never))).option, "groups");
  assert.equal((await refused(() => child.kill("SIGTERM", { tree: "yes" as never }))).option, "tree");
});

test("class instances are refused, where a part of their properties would be lost", async () => {
  class Options {
    get isolation(): string {
      return "private";
    }
  }
  await using pool = new ProcessPool();
  assert.match((await refused(() => pool.run("true", [], new Options() as never))).message, /a plain object/);
  assert.match((await refused(() => pool.run("true", [], { limits: new Map() as never }))).message, /a plain object/);
});

test("lists without an end, or whose iterator lies, are read by their length", async () => {
  await using pool = new ProcessPool();
  const endless = Object.assign(["x"], { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: "y" }) }) });
  const { args } = await pool.spawn("true", endless, { stdio: "ignore" });
  assert.deepEqual(args, ["x"]);
  for (const options of [
    { groups: new Array<number>(2 ** 32 - 1) },
    { isolation: { capabilities: new Array<never>(2 ** 32 - 1) } },
    { isolation: { mount: { readOnly: new Array<string>(2 ** 32 - 1) } } },
  ])
    assert.match((await refused(() => pool.run("true", [], options))).message, /entries/);
  const holes = { isolation: { capabilities: new Array<never>(2) } };
  assert.equal((await refused(() => pool.run("true", [], holes))).option, "isolation.capabilities[0]");
});

test("options that hold themselves, or are endlessly deep, are refused", async () => {
  await using pool = new ProcessPool();
  const cycle: Record<string, unknown> = {};
  cycle["limits"] = cycle;
  assert.match((await refused(() => pool.run("true", [], cycle))).message, /itself/);
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  for (const key of ["limits", "a key\u202e"]) {
    const { message } = await refused(() => pool.run("true", [], { [key]: deep as never }));
    assert.match(message, /in one another/);
    assert.ok(message.length < 200, message);
  }
});

test("input of memory that is gone, or that only looks like bytes or a stream, is refused", async () => {
  await using pool = new ProcessPool();
  const bytes = new Uint8Array(8);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  for (const input of [bytes, Object.create(ArrayBuffer.prototype), Object.create(Readable.prototype)] as never[])
    assert.equal((await refused(() => pool.run("true", [], { input }))).option, "input");
});

test("an iterable whose iterator cannot be had is refused, with the cause", async () => {
  await using pool = new ProcessPool();
  const boom = new Error("boom");
  const input = {
    [Symbol.asyncIterator](): never {
      throw boom;
    },
  };
  assert.equal((await refused(() => pool.run("true", [], { input }))).cause, boom);
  const stream = new ReadableStream();
  stream.getReader();
  assert.equal((await refused(() => pool.run("true", [], { input: stream }))).option, "input");
});

test("a wrong option does not lock the stream that is given beside it", async () => {
  await using pool = new ProcessPool();
  const input = new ReadableStream();
  assert.equal((await refused(() => pool.run("true", [], { input, timeout: -1 }))).option, "timeout");
  assert.equal(input.locked, false);
});

test("what only inherits from an AbortSignal or a URL is none", async () => {
  await using pool = new ProcessPool();
  const signal = Object.create(AbortSignal.prototype) as AbortSignal;
  assert.equal((await refused(() => pool.run("true", [], { signal }))).option, "signal");
  const cwd = Object.create(URL.prototype) as URL;
  assert.equal((await refused(() => pool.run("true", [], { cwd }))).option, "cwd");
});

test("a URL that is changed after the call changes nothing", async () => {
  const cwd = new URL("file:///");
  await using pool = new ProcessPool({ cwd });
  const command = pool.command("pwd", [], { cwd });
  cwd.pathname = "/tmp";
  const ends = await Promise.all([pool.run("pwd"), command.run({ stdio: [null, "capture", "ignore"] })]);
  assert.deepEqual(
    ends.map(({ stdout }) => stdout),
    ["/\n", "/\n"],
  );
});

test("messages stay short and printable, whatever the keys and values are", async () => {
  await using pool = new ProcessPool();
  const long = "x".repeat(2 ** 20);
  for (const call of [
    () => pool.run("true", [], { [long]: 1 }),
    () => pool.run("true", [], { ["\u001b[2J\u202e"]: 1 } as never),
    () => pool.run("true", [], { env: { [long]: 5 } as never }),
    () => pool.run("true", [], { timeout: (1n << 1_000_000n) as never }),
    () => pool.run("true", [], { cwd: "\u009b2J\u202e\0" }),
    () => pool.run("true", [], { isolation: { mount: { readOnly: [`/${long}`], readWrite: [`/${long}`] } } }),
    () => pool.run("true", [], { filesystem: { readOnly: [`/${long}`], readWrite: [`/${long}`] } }),
  ]) {
    const { message } = await refused(call);
    assert.ok(message.length < 2000, String(message.length));
    assert.doesNotMatch(message, /[\p{Cc}\u202e]/u);
  }
  const error = await rejection(pool.run(long), Error);
  assert.ok(error.message.length < 10_000, String(error.message.length));
});
