// What rights over the host a child has left, or can win: system calls, set-id programs, nested namespaces.
import assert from "node:assert/strict";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ProcessPool } from "pidpool";
import { tempDir } from "../helpers/files.ts";
import { ATTEMPTS } from "../helpers/attempts.ts";
import { hasCommands } from "../helpers/processes.ts";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

const LEVELS = ["shared", "contained", "private", { pid: "private" }] as const;

const ATTACK = `${ATTEMPTS}dir = sys.argv[1].encode()
attempt("mknod", lambda: (os.mknod(dir + b"/null", 0o20666, os.makedev(1, 3)), os.unlink(dir + b"/null")) and None)
attempt("mount", lambda: libc.mount(b"none", dir, b"tmpfs", 0, None))
attempt("hostname", lambda: libc.sethostname(*(lambda n: (n, len(n)))(os.uname().nodename.encode())))
attempt("raw", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close())
attempt("setns", lambda: libc.setns(os.open("/proc/%s/ns/net" % sys.argv[2], os.O_RDONLY), 0))
attempt("module", lambda: libc.syscall(ctypes.c_long(int(sys.argv[3])), b"", 0, b""))
attempt("chroot", lambda: os.chroot(dir))
`;
const INIT_MODULE = process.arch === "arm64" ? "105" : "175";
const REFUSED = "(Operation not permitted|Permission denied|Function not implemented)";

test(
  "no right over the host is left, nor is it won in a user namespace of the child's own making",
  { skip: refused },
  async (t) => {
    if (!hasCommands("python3", "unshare")) return t.skip("python3 or unshare is not installed");
    const dir = tempDir(t);
    chmodSync(dir, 0o777);
    await using pool = new ProcessPool();
    const args = ["-c", ATTACK, dir, `${process.pid}`, INIT_MODULE];
    if (process.getuid?.() === 0) {
      // Only that the attacks work: this one stays in namespaces of its own.
      const { stdout } = await pool.run("unshare", ["--net", "--uts", "--mount", "python3", ...args], {
        isolation: "none",
      });
      for (const what of ["mknod", "chroot", "mount", "hostname", "raw"])
        assert.match(stdout, new RegExp(`^${what} done$`, "m"));
    }
    for (const isolation of LEVELS) {
      const plain = await pool.run("python3", args, { isolation });
      for (const what of ["mknod", "chroot", "mount", "hostname", "raw", "setns", "module"])
        assert.match(plain.stdout, new RegExp(`^${what} ${REFUSED}$`, "m"), JSON.stringify(isolation));
      const nested = await pool.run("unshare", ["--user", "--map-root-user", "python3", ...args], {
        isolation,
        check: false,
      });
      // Where this process is root, no nested root can even be mapped: that takes CAP_SETFCAP.
      if (/uid_map: Operation not permitted/.test(nested.stderr)) continue;
      for (const what of ["mknod", "hostname", "raw", "setns", "module"])
        assert.match(nested.stdout, new RegExp(`^${what} ${REFUSED}$`, "m"), JSON.stringify(isolation));
    }
  },
);

test("a set-id program gives no rights, but with isolation none", { skip: refused }, async (t) => {
  if (process.getuid?.() !== 0) return t.skip("needs root, to make one");
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const program = join(dir, "id");
  copyFileSync("/usr/bin/id", program);
  chmodSync(program, 0o4755);
  await using pool = new ProcessPool({ uid: 65534, gid: 65534 });
  const who = async (isolation: (typeof LEVELS)[number] | "none"): Promise<string> =>
    (await pool.run(program, ["-u"], { isolation, orphans: "kill" })).stdout;
  assert.equal(await who("none"), "0\n");
  for (const isolation of LEVELS) assert.equal(await who(isolation), "65534\n", JSON.stringify(isolation));
});
