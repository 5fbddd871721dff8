// Clients of the sd_notify protocol as others write them, at every level of
// isolation.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { LaunchOptions } from "pidpool";
import { tempDir } from "../helpers/files.ts";
import { refusal } from "../helpers/isolation.ts";
import { needsLandlock, PROGRAMS } from "../helpers/landlock.ts";
import { hasCommands } from "../helpers/processes.ts";
import { ProcessPool } from "../helpers/pool.ts";

/** Says that it is ready, and a status, in a process of its own beneath a shell. */
const SCRIPT = "systemd-notify --ready --status='from a script' && systemd-notify ERRNO=13 && echo done";
const noSystemd = hasCommands("systemd-notify") ? false : "systemd-notify is not installed";

const LEVELS: readonly LaunchOptions[] = [
  { isolation: "none" },
  { isolation: "shared" },
  { isolation: "contained" },
  { isolation: "private" },
  { isolation: { pid: "private" } },
  { isolation: { pid: "private", network: "private", ipc: true, uts: true, mount: true } },
  { isolation: { mount: { tmp: true, readOnly: ["/"] } }, cwd: "/" },
  { isolation: "none", session: true },
];

for (const options of LEVELS) {
  test(`systemd-notify: ${JSON.stringify(options)}`, { skip: noSystemd }, async (t) => {
    const { isolation = "none", cwd } = options;
    const why = await refusal(isolation, { cwd });
    if (why !== false) return t.skip(why);
    await using pool = new ProcessPool();
    const child = await pool.spawn("sh", ["-c", SCRIPT], {
      ...options,
      notify: true,
      stdio: ["ignore", "capture", "inherit"],
    });
    await child.ready;
    const { exit, stdout } = await child.result;
    assert.equal(stdout, "done\n");
    assert.equal(exit.message, "from a script (EACCES)");
  });
}

test("systemd-notify beneath Landlock's rules", { skip: noSystemd }, async (t) => {
  if (!needsLandlock(t, 3)) return;
  await using pool = new ProcessPool({ isolation: "none" });
  const filesystem = { execute: [...PROGRAMS], readOnly: ["/proc", "/etc"] };
  const { exit } = await pool.run("sh", ["-c", SCRIPT], { notify: true, filesystem });
  assert.equal(exit.message, "from a script (EACCES)");
});

test("systemd-notify as the child itself, which root's says to be its parent", { skip: noSystemd }, async () => {
  await using pool = new ProcessPool({ isolation: "none" });
  const { exit } = await pool.run("systemd-notify", ["--status=by itself"], { notify: true });
  assert.equal(exit.message, "by itself");
});

test("systemd-notify as another user", { skip: noSystemd }, async (t) => {
  if (process.geteuid?.() !== 0) return t.skip("needs root, to start children of another user");
  await using pool = new ProcessPool({ isolation: "none" });
  const { exit } = await pool.run("sh", ["-c", SCRIPT], { notify: true, uid: 65534, gid: 65534, cwd: "/" });
  assert.equal(exit.message, "from a script (EACCES)");
});

/** As the package sdnotify does it. */
const PYTHON = `
import os, socket
class SystemdNotifier:
    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        addr = os.getenv('NOTIFY_SOCKET')
        if addr[0] == '@':
            addr = '\\0' + addr[1:]
        self.socket.connect(addr)
    def notify(self, state):
        self.socket.sendall(state.encode())
n = SystemdNotifier()
n.notify("READY=1")
n.notify("STATUS=Python says so")
`;

test("Python", { skip: await refusal("shared") }, async (t) => {
  if (!hasCommands("python3")) return t.skip("python3 is not installed");
  await using pool = new ProcessPool();
  for (const isolation of ["none", "private"] as const) {
    const child = await pool.spawn("python3", ["-c", PYTHON], { notify: true, isolation, stdio: "inherit" });
    await child.ready;
    assert.equal((await child.exited).message, "Python says so");
  }
});

/** As daemon.SdNotify of coreos/go-systemd does it. */
const GO = `package main

import (
	"net"
	"os"
)

func sdNotify(state string) {
	addr := &net.UnixAddr{Name: os.Getenv("NOTIFY_SOCKET"), Net: "unixgram"}
	conn, err := net.DialUnix(addr.Net, nil, addr)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	if _, err = conn.Write([]byte(state)); err != nil {
		panic(err)
	}
}

func main() {
	sdNotify("READY=1")
	sdNotify("STATUS=Go says so")
}
`;

test("Go", async (t) => {
  if (!hasCommands("go")) return t.skip("there is no Go toolchain");
  const dir = tempDir(t);
  writeFileSync(join(dir, "say.go"), GO);
  const { status, stderr } = spawnSync("go", ["build", "-o", join(dir, "say"), join(dir, "say.go")], {
    encoding: "utf8",
    env: { ...process.env, CGO_ENABLED: "0" },
  });
  assert.equal(status, 0, stderr);
  await using pool = new ProcessPool();
  for (const isolation of ["none", "private"] as const) {
    const child = await pool.spawn(join(dir, "say"), [], { notify: true, isolation, stdio: "inherit" });
    await child.ready;
    assert.equal((await child.exited).message, "Go says so");
  }
});
