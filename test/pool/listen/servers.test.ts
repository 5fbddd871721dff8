// Servers that others have written, with a standing socket and a rolling restart. Those that are not installed are skipped.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ListenPort, Service, ServiceOptions, Signal } from "pidpool";
import { tempDir } from "../../helpers/files.ts";
import { request } from "../../helpers/http-load.ts";
import { ProcessPool } from "../../helpers/pool.ts";
import { hasCommands } from "../../helpers/processes.ts";

interface Server {
  /** What must be in PATH. */
  readonly program: string;
  /** May write files into `dir`. */
  readonly start: (dir: string, port: number) => Pick<ServiceOptions, "file" | "args" | "env">;
  readonly stopSignal?: Signal;
  readonly listen?: Partial<ListenPort>;
}

const GO_SERVER = fileURLToPath(new URL("../../../../test/fixtures/listen.go", import.meta.url));

const SERVERS: Readonly<Record<string, Server>> = {
  "Python's http.server": {
    program: "python3",
    // It selects and then accepts, where another replica may have been faster.
    listen: { nonBlocking: true },
    start: () => ({
      file: "python3",
      args: [
        "-c",
        `
import http.server, signal, socket, threading

class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *args):
        pass

server = http.server.HTTPServer(("", 0), Hello, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()`,
      ],
    }),
  },
  "a Go program that reads LISTEN_FDS": {
    program: "go",
    start: (dir) => {
      const file = join(dir, "server");
      execFileSync("go", ["build", "-o", file, GO_SERVER], { env: { GOCACHE: join(dir, "cache"), ...process.env } });
      return { file };
    },
  },
  nginx: {
    program: "nginx",
    // Graceful; SIGTERM cuts its connections.
    stopSignal: "SIGQUIT",
    // It takes an inherited socket for non-blocking.
    listen: { nonBlocking: true },
    start: (dir, port) => {
      mkdirSync(join(dir, "tmp"));
      const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path tmp;`);
      const conf = `daemon off; pid ${dir}/nginx.pid; error_log stderr emerg; events { } http { access_log off; ${paths.join(" ")}
        server { listen 127.0.0.1:${port}; location / { return 200 hello; } } }`;
      writeFileSync(join(dir, "nginx.conf"), conf);
      const args = ["-p", dir, "-e", "stderr", "-c", join(dir, "nginx.conf")];
      return { file: "nginx", args, env: { ...process.env, NGINX: "3;" } };
    },
  },
  haproxy: {
    program: "haproxy",
    stopSignal: "SIGUSR1",
    start: (dir) => {
      const conf = `defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
frontend hello
  bind fd@3
  http-request return status 200 content-type text/plain string hello
`;
      writeFileSync(join(dir, "haproxy.cfg"), conf);
      return { file: "haproxy", args: ["-db", "-q", "-f", join(dir, "haproxy.cfg")] };
    },
  },
  lighttpd: {
    program: "lighttpd",
    stopSignal: "SIGINT",
    start: (dir, port) => {
      writeFileSync(join(dir, "index"), "hello");
      const conf = `server.systemd-socket-activation = "enable"
server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${dir}"
index-file.names = ("index")
`;
      writeFileSync(join(dir, "lighttpd.conf"), conf);
      return { file: "lighttpd", args: ["-D", "-f", join(dir, "lighttpd.conf")] };
    },
  },
  gunicorn: {
    program: "gunicorn",
    start: (dir) => {
      const app = "def app(environ, start):\n    start('200 OK', [])\n    return [b'hello']\n";
      writeFileSync(join(dir, "app.py"), app);
      return { file: "gunicorn", args: ["--no-control-socket", "--chdir", dir, "app:app"] };
    },
  },
  uvicorn: {
    program: "uvicorn",
    start: (dir) => {
      const app = `async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
`;
      writeFileSync(join(dir, "app.py"), app);
      return { file: "uvicorn", args: ["--fd", "3", "--log-level", "error", "--app-dir", dir, "app:app"] };
    },
  },
};

/** A port that was free a moment ago, for servers whose configuration must name it. */
async function freePort(pool: ProcessPool): Promise<number> {
  const service = pool.service({ name: "none", file: "sleep", args: ["60"], listen: [{ port: 0, host: "127.0.0.1" }] });
  const port = portOf(service);
  await service.stop();
  return port;
}

function portOf(service: Service): number {
  const [address] = service.addresses;
  assert.ok(address !== undefined && "port" in address);
  return address.port;
}

for (const [name, { program, start, stopSignal, listen }] of Object.entries(SERVERS)) {
  const skip = !hasCommands(program) && `${program} is not installed`;
  test(`${name}: answers what came before it had begun, and during a rolling restart`, { skip }, async (t) => {
    // Some change their user or begin workers, which the locks of other levels forbid.
    await using pool = new ProcessPool({ isolation: "none" });
    const port = await freePort(pool);
    const service = pool.service({
      name,
      ...start(tempDir(t), port),
      stdio: ["ignore", "ignore", "inherit"],
      replicas: 2,
      listen: [{ port, host: "127.0.0.1", ...listen }],
      stopSignal,
      stopTimeout: 60_000,
    });
    const target = { host: "127.0.0.1", port };
    assert.equal(await request(target), "hello");
    await service.ready;
    for (let round = 0; round < 2; round++) {
      const restarted = service.restart();
      const answers = await Promise.all(Array.from({ length: 20 }, () => request(target)));
      assert.deepEqual([...new Set(answers)], ["hello"]);
      await restarted;
    }
    await service.stop();
  });
}
