import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join, relative } from "node:path";
import { test, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { InvalidOptionError, IsolationError, LaunchError, type FilesystemRules } from "pidpool";
import { SPEC } from "#pidpool/native/layout.js";
import { ConfinementWriter } from "#pidpool/process/confinement.js";
import { writeLandlock } from "#pidpool/process/landlock.js";
import { rejection } from "../helpers/errors.ts";
import { program, tempDir } from "../helpers/files.ts";
import { attack, needsLandlock, NODE, PROGRAMS, type Attempt } from "../helpers/landlock.ts";
import { ProcessPool } from "../helpers/pool.ts";

/** A tree with a directory for each right, one for none, and a program and a file in each. */
function tree(t: TestContext): { dir: string; rules: FilesystemRules; at: (...parts: string[]) => string } {
  const dir = tempDir(t);
  const at = (...parts: string[]): string => join(dir, ...parts);
  for (const name of ["none", "read", "write", "run"]) {
    mkdirSync(at(name));
    mkdirSync(at(name, "sub"));
    writeFileSync(at(name, "file"), name);
    program(at(name), "tool", "#!/bin/sh\nexit 0\n");
  }
  const rules = {
    readOnly: [...(NODE.readOnly ?? []), at("read")],
    readWrite: [at("write")],
    execute: [...(NODE.execute ?? []), at("run")],
  };
  return { dir, rules, at };
}

/** Each attempt must come out so under the rules, and must succeed without them. */
async function confirms(
  cases: readonly (readonly [Attempt, string])[],
  under: Parameters<typeof attack>[2],
  reset: () => void = () => undefined,
): Promise<void> {
  // Landlock alone: no namespace may do its work.
  await using pool = new ProcessPool({ isolation: "none" });
  const attempts = cases.map(([attempt]) => attempt);
  const locked = await attack(pool, attempts, under);
  assert.deepEqual(
    cases.map(([attempt], i) => [attempt, locked[i]]),
    cases.map(([attempt, expected]) => [attempt, expected]),
  );
  reset();
  const open = await attack(pool, attempts);
  assert.deepEqual(
    open.map((outcome, i) => [attempts[i], outcome]),
    attempts.map((attempt) => [attempt, "ok"]),
  );
}

test("what lies outside the rules can be neither read, listed, changed nor executed, by no way around", async (t) => {
  if (!needsLandlock(t, 3)) return;
  const { rules, at } = tree(t);
  symlinkSync(at("none", "file"), at("write", "symlink"));
  const secret = at("none", "file");
  await confirms(
    [
      [["read", secret], "EACCES"],
      [["read", at("write", "symlink")], "EACCES"],
      [["read", at("write", "..", "none", "file")], "EACCES"],
      [["read", `/proc/self/root${secret}`], "EACCES"],
      [["read", `/proc/self/cwd/${relative(process.cwd(), secret)}`], "EACCES"],
      [["list", at("none")], "EACCES"],
      [["execute", at("none", "tool")], "EACCES"],
      [["write", secret], "EACCES"],
      [["truncate", secret], "EACCES"],
      [["create", at("none", "new")], "EACCES"],
      [["mkdir", at("none", "dir")], "EACCES"],
      [["link", secret, at("none", "hard")], "EACCES"],
      [["rename", secret, at("none", "moved")], "EACCES"],
      [["remove", at("none", "tool")], "EACCES"],
    ],
    { filesystem: rules },
    () => {
      assert.equal(readFileSync(secret, "utf8"), "none");
      assert.deepEqual(readdirSync(at("none")).toSorted(), ["file", "sub", "tool"]);
    },
  );
});

test("readOnly reads and lists, and does nothing else", async (t) => {
  if (!needsLandlock(t, 3)) return;
  const { rules, at } = tree(t);
  await confirms(
    [
      [["read", at("read", "file")], "ok"],
      [["list", at("read")], "ok"],
      [["execute", at("read", "tool")], "EACCES"],
      [["write", at("read", "file")], "EACCES"],
      [["truncate", at("read", "file")], "EACCES"],
      [["create", at("read", "new")], "EACCES"],
      [["symlink", "x", at("read", "symlink")], "EACCES"],
      [["mkdir", at("read", "dir")], "EACCES"],
      [["rename", at("read", "file"), at("read", "moved")], "EACCES"],
      [["remove", at("read", "tool")], "EACCES"],
    ],
    { filesystem: rules },
    () => assert.equal(readFileSync(at("read", "file"), "utf8"), "read"),
  );
});

test("readWrite changes everything beneath it, executes nothing, and lets nothing out", async (t) => {
  if (!needsLandlock(t, 3)) return;
  const { rules, at } = tree(t);
  copyFileSync(at("write", "file"), at("write", "again"));
  await confirms(
    [
      [["read", at("write", "file")], "ok"],
      [["write", at("write", "file")], "ok"],
      [["truncate", at("write", "file")], "ok"],
      [["create", at("write", "new")], "ok"],
      [["rename", at("write", "new"), at("write", "sub", "new")], "ok"],
      [["link", at("write", "sub", "new"), at("write", "hard")], "ok"],
      [["remove", at("write", "sub", "new")], "ok"],
      [["remove", at("write", "hard")], "ok"],
      [["execute", at("write", "tool")], "EACCES"],
      // To move or link a file out would show it under other rules.
      [["link", at("write", "again"), at("none", "hard")], "EACCES"],
      [["rename", at("write", "again"), at("none", "again")], "EACCES"],
    ],
    { filesystem: rules },
    () => assert.equal(existsSync(at("none", "again")), false),
  );
});

test("execute reads and runs, and changes nothing", async (t) => {
  if (!needsLandlock(t, 3)) return;
  const { rules, at } = tree(t);
  await confirms(
    [
      [["read", at("run", "file")], "ok"],
      [["list", at("run")], "ok"],
      [["execute", at("run", "tool")], "ok"],
      [["write", at("run", "file")], "EACCES"],
      [["create", at("run", "new")], "EACCES"],
    ],
    { filesystem: rules },
  );
});

test("root reads /etc/shadow only where a rule lets it", async (t) => {
  if (!needsLandlock(t, 3)) return;
  if (process.geteuid?.() !== 0 || !existsSync("/etc/shadow")) return t.skip("needs root and /etc/shadow");
  await using pool = new ProcessPool();
  assert.notEqual((await pool.run("cat", ["/etc/shadow"])).stdout, "");
  const { exit, stdout, stderr } = await pool.run("cat", ["/etc/shadow"], {
    filesystem: { execute: PROGRAMS },
    env: { ...process.env, LC_ALL: "C" },
    check: false,
  });
  assert.equal(exit.status === "exited" && exit.code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /Permission denied/);
});

test("what a child starts is under the same rules, and cannot take them off", async (t) => {
  if (!needsLandlock(t, 3)) return;
  await using pool = new ProcessPool();
  const { at } = tree(t);
  const script = `grep ^NoNewPrivs: /proc/self/status; sh -c 'cat "$0" 2>/dev/null || echo refused' ${at("none", "file")}`;
  const filesystem = { execute: PROGRAMS, readOnly: ["/proc"] };
  const open = await pool.run("sh", ["-c", script]);
  assert.match(open.stdout, /none$/);
  const { stdout } = await pool.run("sh", ["-c", `${script} 2>/dev/null`], {
    filesystem: { ...filesystem, readWrite: ["/dev/null"] },
  });
  assert.equal(stdout, "NoNewPrivs:\t1\nrefused\n");
});

test("what the rules do not cover: metadata, and running a readable file by its loader", async (t) => {
  if (!needsLandlock(t, 3)) return;
  const { rules, at } = tree(t);
  await using pool = new ProcessPool();
  const attempts: Attempt[] = [
    ["stat", at("none", "file")],
    ["chmod", at("none", "file")],
  ];
  assert.deepEqual(await attack(pool, attempts, { filesystem: rules }), ["ok", "ok"]);
  const interpreted = await pool.run("sh", [at("read", "tool")], { filesystem: rules });
  assert.deepEqual([interpreted.exit.status, interpreted.exit.reason], ["exited", "exit"]);
});

test("stdio files and inherited output need no rule", async (t) => {
  if (!needsLandlock(t, 3)) return;
  await using pool = new ProcessPool();
  const { at } = tree(t);
  const { stdout } = await pool.run("sh", ["-c", "cat; echo written >&2; echo captured"], {
    stdio: [{ file: at("none", "file") }, "capture", { file: at("none", "out") }],
    filesystem: { execute: PROGRAMS },
  });
  assert.equal(stdout, "nonecaptured\n");
  assert.equal(readFileSync(at("none", "out"), "utf8"), "written\n");
});

test("paths may be file URLs and are relative to cwd; a pool's rules hold until a launch has its own", async (t) => {
  if (!needsLandlock(t, 3)) return;
  const { dir, at } = tree(t);
  const rules = { execute: [...PROGRAMS], readOnly: ["read", pathToFileURL(at("run"))] };
  await using pool = new ProcessPool({ cwd: dir, filesystem: rules });
  // The pool has taken a copy.
  rules.readOnly.push("none");
  const reads = async (name: string, options = {}): Promise<boolean> => {
    const { exit } = await pool.run("cat", [at(name, "file")], { check: false, ...options });
    return exit.status === "exited" && exit.code === 0;
  };
  assert.deepEqual(await Promise.all(["read", "run", "none"].map((name) => reads(name))), [true, true, false]);
  const own = { filesystem: { execute: PROGRAMS, readOnly: ["none"] } };
  assert.deepEqual(await Promise.all(["read", "none"].map((name) => reads(name, own))), [false, true]);

  const list = ["read"];
  const command = pool.command("cat", [at("none", "file")], { filesystem: { execute: PROGRAMS, readOnly: list } });
  list.push("none");
  assert.equal((await command.run({ check: false, nice: 1 })).stdout, "");
});

test("openFiles leaves room for the rules", async (t) => {
  if (!needsLandlock(t, 3)) return;
  await using pool = new ProcessPool();
  const { rules } = tree(t);
  const { stdout } = await pool.run("sh", ["-c", "ulimit -n"], { filesystem: rules, limits: { openFiles: 4 } });
  assert.equal(stdout, "4\n");
});

test("a launch that fails for its rules says which", async (t) => {
  if (!needsLandlock(t, 3)) return;
  await using pool = new ProcessPool({ cwd: "/" });
  const { at } = tree(t);
  const fails = async (file: string, filesystem: FilesystemRules): Promise<LaunchError> =>
    rejection(pool.run(file, [], { filesystem }), LaunchError);

  const missing = await fails("true", { execute: PROGRAMS, readOnly: ["/", "/nonexistent/x"] });
  assert.deepEqual([missing.stage, missing.errno, missing.syscall], ["landlock", "ENOENT", "openat"]);
  assert.match(missing.message, /filesystem\.readOnly\[1\], "\/nonexistent\/x", does not exist/);

  const through = await fails("true", { execute: [...PROGRAMS, "/etc/passwd/x"] });
  assert.deepEqual([through.stage, through.errno], ["landlock", "ENOTDIR"]);
  assert.match(through.message, /\/etc\/passwd\/x/);

  const outside = await fails(at("none", "tool"), { execute: PROGRAMS, readOnly: [at("none")] });
  assert.deepEqual([outside.stage, outside.errno], ["execve", "EACCES"]);
  assert.match(outside.message, /none\/tool" lies outside filesystem\.execute/);

  const interpreter = await fails(at("none", "tool"), { execute: [at("none")] });
  assert.deepEqual([interpreter.stage, interpreter.errno], ["execve", "EACCES"]);
  assert.match(interpreter.message, /ELF loader or #! interpreter may lie outside filesystem\.execute/);
  assert.equal(pool.stats().children, 0);
});

/** A server on a port of its own, closed with the test. */
async function listening(t: TestContext): Promise<number> {
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A port that nobody uses. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("tcp: only the listed ports can be bound and connected to", async (t) => {
  if (!needsLandlock(t, 4)) return;
  const [there, refused] = [await listening(t), await listening(t)];
  const [mine, other] = [await freePort(), await freePort()];
  await confirms(
    [
      [["connect", there], "ok"],
      [["connect", refused], "EACCES"],
      [["bind", mine], "ok"],
      [["bind", other], "EACCES"],
      [["bind", 0], "EACCES"],
    ],
    { tcp: { connect: [there], bind: [mine] } },
  );
});

test("tcp: an empty list, or none, refuses all; files stay as they were", async (t) => {
  if (!needsLandlock(t, 4)) return;
  const there = await listening(t);
  const attempts: [Attempt, string][] = [
    [["connect", there], "EACCES"],
    [["bind", 0], "EACCES"],
    [["read", "/etc/passwd"], "ok"],
  ];
  await confirms(attempts, { tcp: {} });
  await confirms(attempts, { tcp: { bind: [], connect: [] } });
  await using pool = new ProcessPool();
  assert.deepEqual(await attack(pool, [["bind", 0]], { tcp: { bind: [0] } }), ["ok"]);
});

test("under either option, others' abstract sockets and processes are out of reach", async (t) => {
  if (!needsLandlock(t, 6)) return;
  const name = `\0pidpool-test-${process.pid}`;
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(name, () => resolve()));
  t.after(() => server.close());
  const cases: [Attempt, string][] = [
    [["connect", name], "EPERM"],
    [["signal", process.pid], "EPERM"],
  ];
  await confirms(cases, { tcp: {} });
  await confirms(cases, { filesystem: NODE });
});

test("each wrong value is named, and nothing is started", async () => {
  await using pool = new ProcessPool();
  const cases: readonly [options: object, option: string, allowed: RegExp][] = [
    [{ filesystem: null }, "filesystem", /leave it out/],
    [{ filesystem: "/etc" }, "filesystem", /an object/],
    [{ filesystem: ["/etc"] }, "filesystem", /an object/],
    [{ filesystem: { write: ["/"] } }, "filesystem.write", /no such option; there are readOnly/],
    [{ filesystem: { readOnly: "/etc" } }, "filesystem.readOnly", /an array of paths/],
    [{ filesystem: { readOnly: { 0: "/etc" } } }, "filesystem.readOnly", /an array of paths/],
    [{ filesystem: { readOnly: null } }, "filesystem.readOnly", /leave it out/],
    [{ filesystem: { readWrite: ["/tmp", 5] } }, "filesystem.readWrite[1]", /a path/],
    [{ filesystem: { readWrite: Array.from({ length: 1 }) } }, "filesystem.readWrite[0]", /a path/],
    [{ filesystem: { execute: ["a\0b"] } }, "filesystem.execute[0]", /NUL/],
    [{ filesystem: { execute: [""] } }, "filesystem.execute[0]", /empty/],
    [{ filesystem: { execute: [new URL("https://example.org")] } }, "filesystem.execute[0]", /file: URL/],
    [
      { filesystem: { readOnly: ["/a/b"], readWrite: ["/", "/c"] } },
      "filesystem.readOnly[0]",
      /beneath .*readWrite\[0\]/,
    ],
    [{ filesystem: { readOnly: ["/x", "/a"], readWrite: ["/a/"] } }, "filesystem.readOnly[1]", /beneath/],
    [{ tcp: null }, "tcp", /leave it out/],
    [{ tcp: 443 }, "tcp", /an object/],
    [{ tcp: [443] }, "tcp", /an object/],
    [{ tcp: { listen: [80] } }, "tcp.listen", /no such option; there are bind, connect/],
    [{ tcp: { connect: 443 } }, "tcp.connect", /an array of ports/],
    [{ tcp: { connect: [443, "80"] } }, "tcp.connect[1]", /whole number from 1 to 65535/],
    [{ tcp: { connect: [0] } }, "tcp.connect[0]", /from 1/],
    [{ tcp: { bind: [65536] } }, "tcp.bind[0]", /from 0 to 65535/],
    [{ tcp: { bind: [NaN] } }, "tcp.bind[0]", /whole number/],
    [{ tcp: { bind: [-1] } }, "tcp.bind[0]", /whole number/],
  ];
  for (const [options, option, allowed] of cases) {
    const error = await rejection(pool.run("true", [], options), InvalidOptionError);
    assert.equal(error.option, option);
    assert.match(error.message, allowed);
    assert.throws(() => new ProcessPool(options), { code: "ERR_INVALID_OPTION", option });
  }
  assert.deepEqual(pool.stats().supervisors, []);
});

/** The error under a kernel whose probe says this. */
function refusal(found: number, filesystem: object | undefined, tcp: object | undefined): unknown {
  try {
    writeLandlock(new ConfinementWriter(), filesystem, tcp, "/", () => found);
  } catch (error) {
    return error;
  }
  return undefined;
}

test("where the kernel's Landlock lacks what was asked for, nothing is started: ABI found, ABI needed, remedy", () => {
  const refused = (found: number, filesystem: object | undefined, tcp: object | undefined): IsolationError => {
    const error = refusal(found, filesystem, tcp);
    assert.ok(error instanceof IsolationError);
    assert.deepEqual([error.name, error.code, error.stage], ["IsolationError", "ERR_ISOLATION", "landlock"]);
    assert.equal(error.syscall, "landlock_create_ruleset");
    assert.ok(error.remedy !== undefined && error.message.endsWith(error.remedy));
    return error;
  };
  const old = refused(2, {}, undefined);
  assert.match(
    old.message,
    /option filesystem needs Landlock ABI 3 \(Linux 6\.2\); this kernel has ABI 2; use Linux 6\.2/,
  );
  assert.equal(old.errno, undefined);
  assert.match(refused(3, {}, {}).message, /option tcp needs Landlock ABI 4 \(Linux 6\.7\); this kernel has ABI 3/);
  assert.match(refused(3, undefined, {}).message, /option tcp needs/);
  const none = refused(-38, {}, undefined);
  assert.equal(none.errno, "ENOSYS");
  assert.match(none.message, /has none; .*CONFIG_SECURITY_LANDLOCK/);
  const disabled = refused(-95, undefined, {});
  // Two names of one number.
  assert.match(disabled.errno ?? "", /^(ENOTSUP|EOPNOTSUPP)$/);
  assert.match(disabled.message, /lsm=/);
  assert.match(refused(-1, {}, undefined).message, /seccomp/);

  assert.equal(refusal(3, {}, undefined), undefined);
  assert.equal(refusal(4, {}, {}), undefined);
  // A wrong option is wrong on every kernel.
  assert.ok(refusal(-38, { readOnly: [5] }, undefined) instanceof InvalidOptionError);
});

test("what the kernel does not know is not asked of it", () => {
  const words = (found: number): Map<number, number> => {
    const writer = new ConfinementWriter();
    writeLandlock(writer, { readWrite: ["/tmp"] }, undefined, "/", () => found);
    return new Map(writer.finish()?.words);
  };
  const { handledFiles: files, scoped } = SPEC;
  assert.deepEqual([words(3).get(files), words(3).get(scoped)], [0x7fff, undefined]);
  assert.deepEqual([words(5).get(files), words(5).get(scoped)], [0xffff, undefined]);
  assert.deepEqual([words(6).get(files), words(6).get(scoped)], [0xffff, 3]);
  assert.deepEqual([words(99).get(files), words(99).get(scoped)], [0xffff, 3]);
});
