// A mount namespace of a child's own: what is there, what may be written, and that no path leads around it.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LaunchError, ProcessPool, type IsolationOptions, type MountOptions } from "pidpool";
import { rejection } from "../helpers/errors.ts";
import { tempDir } from "../helpers/files.ts";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

/** Runs a shell script with these mounts; what it printed, errors included. */
async function under(mount: MountOptions, script: string, more: IsolationOptions = {}, cwd = "/"): Promise<string> {
  await using pool = new ProcessPool({ isolation: { mount, ...more } });
  const { stdout } = await pool.run("sh", ["-c", `exec 2>&1; ${script}`], { cwd, check: false });
  return stdout;
}

test("tmp: an empty /tmp that takes files, of which nothing is seen outside", { skip: refused }, async (t) => {
  const dir = tempDir(t);
  const name = `/tmp/pidpool-inside-${process.pid}`;
  const said = await under({ tmp: true }, `ls -A /tmp; echo x >${name}; cat ${name}; ls ${dir}`);
  assert.match(said, /^x\n.*No such file/s);
  assert.equal(existsSync(name), false);
});

test("tmp: a working directory within the hidden /tmp is no way to what it hides", { skip: refused }, async (t) => {
  const dir = tempDir(t);
  await using pool = new ProcessPool({ isolation: { mount: { tmp: true } } });
  const error = await rejection(pool.run("pwd", [], { cwd: dir }), LaunchError);
  assert.deepEqual([error.stage, error.errno], ["chdir", "ENOENT"]);
});

test("readOnly and readWrite: of nested paths the inner one decides", { skip: refused }, async (t) => {
  const dir = tempDir(t);
  chmodSync(dir, 0o777);
  for (const inner of ["open", "open/shut", "open/shut/open"]) mkdirSync(join(dir, inner), { mode: 0o777 });
  const write = ["", "open/", "open/shut/", "open/shut/open/"]
    .map((inner) => `(echo x >${dir}/${inner}file) && echo ${inner}`)
    .join("; ");
  const said = await under(
    { readOnly: ["/", join(dir, "open/shut")], readWrite: [join(dir, "open"), join(dir, "open/shut/open/")] },
    write,
  );
  assert.deepEqual(
    said
      .trim()
      .split("\n")
      .map((line) => (line.includes("Read-only") ? "read-only" : line)),
    ["read-only", "open/", "read-only", "open/shut/open/"],
  );
  assert.deepEqual(readdirSync(dir), ["open"]);
});

test("a read-only tree cannot be made writable again, nor what is hidden be seen", { skip: refused }, async (t) => {
  const dir = tempDir(t);
  chmodSync(dir, 0o777);
  const file = join(dir, "file");
  writeFileSync(file, "before");
  chmodSync(file, 0o666);
  const attacks = [
    `echo x >${file}`,
    `mount -o remount,bind,rw ${dir}`,
    `umount ${dir}`,
    // With all rights in a user namespace of its own making, which are none over these mounts.
    `unshare -Urm sh -c 'mount -o remount,bind,rw ${dir}; umount ${dir}; mount -o remount,bind,rw /; echo x >${file}'`,
    `unshare -Urm sh -c 'umount /tmp; ls ${dir}'`,
    `echo x >/proc/self/root${file}`,
    `echo x >/proc/1/root${file}`,
    `echo x >/proc/${process.pid}/root${file}`,
    `echo x >/proc/${process.pid}/cwd${file}`,
  ].map((attack) => `( ${attack} )`);
  for (const more of [{}, { pid: "shared" }, { pid: "private" }] as const) {
    const said = await under({ readOnly: ["/"] }, attacks.join("; "), more);
    assert.match(said, /Read-only/);
    assert.equal(readFileSync(file, "utf8"), "before", JSON.stringify(more));
    const hidden = await under({ tmp: true }, `${attacks.slice(3).join("; ")}; ls ${dir}`, more);
    assert.doesNotMatch(hidden, /^file$/m);
    assert.equal(readFileSync(file, "utf8"), "before", JSON.stringify(more));
  }
  // The same by the first of these attacks, without isolation.
  await using pool = new ProcessPool({ isolation: "none" });
  await pool.run("sh", ["-c", `echo x >/proc/self/root${file}`]);
  assert.equal(readFileSync(file, "utf8"), "x\n");
});

test("proc: shows the processes of the child's own pid namespace, and no other", { skip: refused }, async () => {
  for (const pid of ["shared", "private"] as const) {
    const said = await under({}, "ls /proc | grep -c '^[0-9]'; cat /proc/1/comm; echo $$; readlink /proc/self", {
      pid,
    });
    const [count, init] = said.trim().split("\n");
    assert.ok(Number(count) <= 5, said);
    assert.equal(init, "pidpool-guardia");
  }
  const theirs = await under({ proc: false }, `cat /proc/${process.pid}/comm`, { pid: "shared" });
  assert.equal(theirs, readFileSync("/proc/self/comm", "utf8"));
});

test("readOnly is true of a /proc of the child's own, which has the host's settings", { skip: refused }, async () => {
  // Opened only: nothing is written there.
  const script =
    "for f in sys/kernel/core_pattern self/oom_score_adj; do (: >>/proc/$f) 2>/dev/null && echo open || echo shut; done";
  const pid = "private";
  const [settings = "", own] = (await under({}, script, { pid })).trim().split("\n");
  assert.deepEqual([settings, own], [process.getuid?.() === 0 ? "open" : "shut", "open"]);
  assert.equal(await under({ readOnly: ["/"] }, script, { pid }), "shut\nshut\n");
  assert.equal(await under({ readOnly: ["/proc/sys"] }, script, { pid }), "shut\nopen\n");
  assert.equal(await under({ readOnly: ["/"], readWrite: ["/proc"] }, script, { pid }), `${settings}\nopen\n`);
});

test("what is mounted inside is not seen outside", { skip: refused }, async () => {
  const before = readFileSync("/proc/self/mountinfo", "utf8");
  await under({ tmp: true, readOnly: ["/usr"] }, "true", { pid: "private" });
  assert.equal(readFileSync("/proc/self/mountinfo", "utf8"), before);
});
