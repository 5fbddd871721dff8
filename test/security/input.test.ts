// Hostile input: what an untrusted caller, or what a program says, may lead to.
import assert from "node:assert/strict";
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "../helpers/isolated.ts";
import { ExitError, LaunchError, ProcessPool } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { program, tempDir } from "../helpers/files.ts";

const needsRoot = process.getuid?.() !== 0 && "needs root";
// oxlint-disable-next-line no-control-regex
const COMMANDS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/u;
/** A title, a cleared screen, a line of one's own, turned text. */
const EVIL = "\u001b]0;title\u0007\u001b[2J\r\n\u009b31mok: all is well\u202e";

test("neither what a program says nor what it is called commands a terminal by an error's message", async (t) => {
  await using pool = new ProcessPool({ isolation: "none" });
  const dir = tempDir(t);
  const file = program(dir, `evil${EVIL}`, `#!/bin/sh\nprintf '%s' "$1" >&2; exit 3\n`);
  const said = await rejection(pool.run(file, [EVIL]), ExitError);
  assert.doesNotMatch(said.message, COMMANDS);
  // The figures are the second line: nothing that is said begins one.
  assert.match(said.message, /^"[^\n]*\n {2}ran [^\n]*$/);
  for (const failed of [
    await rejection(pool.run(`${dir}/none${EVIL}`), LaunchError),
    await rejection(pool.run("true", [], { cwd: `${dir}/none${EVIL}` }), LaunchError),
    await rejection(pool.run("true", [], { stdio: [{ file: `${dir}/none${EVIL}` }] }), LaunchError),
  ]) {
    assert.doesNotMatch(failed.message, COMMANDS);
    assert.doesNotMatch(failed.message, /\n/);
  }
});

test("what a program says is in the results as it is: whoever prints that, cleans it", async () => {
  await using pool = new ProcessPool();
  const { stdout, exit } = await pool.run("sh", ["-c", 'printf "%s" "$0"; printf "%s" "$0" >&2', EVIL]);
  assert.equal(stdout, EVIL);
  assert.equal(exit.stderrTail, EVIL);
});

test("arguments are passed as they are, with no shell to read them", async () => {
  await using pool = new ProcessPool();
  const args = ["$(id)", "; id", "`id`", "*", "a b", "-e", "", "\\n", "'", '"'];
  const { stdout } = await pool.run("sh", ["-c", 'for a; do printf "%s\\n" "$a"; done', "sh", ...args]);
  assert.deepEqual(stdout.split("\n").slice(0, -1), args);
});

test("more arguments than the kernel takes are an error of the launch, and leave nothing", async () => {
  await using pool = new ProcessPool();
  const error = await rejection(pool.run("true", ["x".repeat(3_000_000)]), LaunchError);
  assert.deepEqual([error.stage, error.errno], ["execve", "E2BIG"]);
  assert.equal((await pool.run("echo", ["on"])).stdout, "on\n");
});

test("an empty entry of PATH, or a relative file, is found in the child's working directory", async (t) => {
  await using pool = new ProcessPool();
  const cwd = tempDir(t);
  chmodSync(cwd, 0o755);
  program(cwd, "ls", "#!/bin/sh\necho planted\n");
  for (const PATH of [":/bin", "/nowhere::/bin", "."])
    assert.equal((await pool.run("ls", [], { cwd, env: { PATH } })).stdout, "planted\n", PATH);
  assert.equal((await pool.run("ls", [], { cwd, env: { PATH: "/bin:" } })).stdout, "ls\n");
  assert.equal((await pool.run("./ls", [], { cwd })).stdout, "planted\n");
  // By an absolute file, nothing is looked for.
  assert.equal((await pool.run("/bin/ls", [], { cwd, env: { PATH: "." } })).stdout, "ls\n");
});

test("a variable of the pool's own cannot be set by who gives env", async () => {
  await using pool = new ProcessPool();
  const env = { NOTIFY_SOCKET: "/tmp/mine", WATCHDOG_USEC: "1", WATCHDOG_PID: "1", PATH: process.env["PATH"] };
  const { stdout } = await pool.run("env", [], { notify: true, env });
  const names = stdout.split("\n").map((line) => line.slice(0, line.indexOf("=")));
  assert.equal(names.filter((name) => name === "NOTIFY_SOCKET").length, 1);
  assert.doesNotMatch(stdout, /\/tmp\/mine|WATCHDOG/);
});

test(
  "a file of stdio is opened with this process's rights, and links are followed, whoever the child is",
  {
    skip: needsRoot,
  },
  async (t) => {
    const dir = tempDir(t);
    chmodSync(dir, 0o755);
    const secret = join(dir, "secret");
    writeFileSync(secret, "root's", { mode: 0o600 });
    const theirs = join(tempDir(t), "log");
    symlinkSync(secret, theirs);
    await using pool = new ProcessPool({ uid: 65534, gid: 65534, cwd: "/" });
    await pool.run("echo", ["nobody's"], { stdio: ["ignore", { file: theirs }, "inherit"] });
    assert.equal(readFileSync(secret, "utf8"), "nobody's\n");
  },
);
