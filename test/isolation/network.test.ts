// The pool's network namespace and private ones: no server of the host is reached from there.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ProcessPool } from "pidpool";
import { tempDir } from "../helpers/files.ts";
import { said } from "../helpers/wait.ts";
import { hasCommands } from "../helpers/processes.ts";
import { refusal } from "../helpers/isolation.ts";

const refused = await refusal("shared");

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

const LISTEN = `
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind("\\0" + sys.argv[1])
server.listen()
print("listening", flush=True)
sys.stdin.read()
`;

/** Not by Node, which pads such names with zeros up to version 20. */
async function listeningAbstractly(t: TestContext, name: string): Promise<void> {
  const server = spawn("python3", ["-c", LISTEN, name], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => server.stdin.end());
  await said(server.stdout, "listening");
}

test(
  "servers on 127.0.0.1 and abstract sockets are out of reach; sockets in the file system are not",
  { skip: refused },
  async (t) => {
    if (!hasCommands("python3")) return t.skip("python3 is not installed");
    const { port } = (await listening(t, 0)).address() as AddressInfo;
    const abstract = `pidpool-test-${process.pid}`;
    await listeningAbstractly(t, abstract);
    const path = join(tempDir(t), "socket");
    await listening(t, path);
    await using pool = new ProcessPool();
    const args = ["-c", CONNECT, `${port}`, `@${abstract}`, path];
    const none = await pool.run("python3", args, { isolation: "none" });
    assert.equal(none.stdout, "tcp reached\nabstract reached\npath reached\n");
    for (const isolation of ["shared", "contained", "private", { network: "private", loopback: true }] as const) {
      const { stdout } = await pool.run("python3", args, { isolation });
      assert.equal(stdout, "tcp not\nabstract not\npath reached\n", JSON.stringify(isolation));
    }
    const { stdout } = await pool.run("python3", args, { isolation: { pid: "private" } });
    assert.match(stdout, /^tcp reached\nabstract reached\n/);
  },
);
