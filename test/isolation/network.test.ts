// The pool's network namespace and private ones: no server of the host is reached from there.
import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ProcessPool } from "pidpool";
import { tempDir } from "../helpers/files.ts";
import { hasCommands } from "../helpers/processes.ts";

const CONNECT = `
import socket, sys
def attempt(name, family, address):
    try:
        s = socket.socket(family)
        s.settimeout(20)
        s.connect(address)
        print(name, "reached")
    except OSError:
        print(name, "not")
attempt("tcp", socket.AF_INET, ("127.0.0.1", int(sys.argv[1])))
attempt("abstract", socket.AF_UNIX, sys.argv[2].replace("@", "\\0"))
attempt("path", socket.AF_UNIX, sys.argv[3])
`;

async function listening(t: TestContext, at: string | number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  t.after(() => server.close());
  await new Promise<void>((resolve) => {
    if (typeof at === "string") server.listen(at, resolve);
    else server.listen(at, "127.0.0.1", resolve);
  });
  return server;
}

test("servers on 127.0.0.1 and abstract sockets are out of reach; sockets in the file system are not", async (t) => {
  if (!hasCommands("python3")) return t.skip("python3 is not installed");
  const { port } = (await listening(t, 0)).address() as AddressInfo;
  const abstract = `pidpool-test-${process.pid}`;
  await listening(t, `\0${abstract}`);
  const path = join(tempDir(t), "socket");
  await listening(t, path);
  await using pool = new ProcessPool();
  const args = ["-c", CONNECT, `${port}`, `@${abstract}`, path];
  const none = await pool.run("python3", args, { isolation: "none" });
  const reachesAbstract = none.stdout.includes("abstract reached");
  assert.match(none.stdout, /^tcp reached\n.*\npath reached\n$/);
  for (const isolation of ["shared", "contained", "private", { network: "private", loopback: true }] as const) {
    const { stdout } = await pool.run("python3", args, { isolation });
    assert.equal(stdout, "tcp not\nabstract not\npath reached\n", JSON.stringify(isolation));
  }
  const { stdout } = await pool.run("python3", args, { isolation: { pid: "private" } });
  assert.match(stdout, /^tcp reached/);
  if (!reachesAbstract) t.diagnostic("this Node makes no abstract sockets: the attack on them proves nothing");
});
