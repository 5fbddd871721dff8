// `npm run example -- standing-socket`: three replicas of a web server behind one standing socket are replaced twice
// while requests come without a pause. Not one of them fails.
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import { ProcessPool } from "pidpool";

await using pool = new ProcessPool();
const service = pool.service({
  name: "web",
  file: process.execPath,
  args: [fileURLToPath(new URL("server.js", import.meta.url))],
  replicas: 3,
  listen: [{ port: 0, host: "127.0.0.1" }],
  ready: { fd: 4 },
  stopTimeout: 30_000,
});

const [address] = service.addresses;
if (address === undefined || !("port" in address)) throw new Error("the service listens on no port");
const { host, port } = address;
console.log(`listening on ${host}:${port}; no replica is ready yet, but connections are taken already`);

const seen = new Set<string>();
let answered = 0;
let failed = 0;
const enough = new AbortController();

async function ask(): Promise<void> {
  const [response] = (await once(get({ host, port, agent: false }), "response")) as [IncomingMessage];
  let body = "";
  for await (const text of response) body += String(text);
  seen.add(body);
  answered++;
}

async function client(): Promise<void> {
  while (!enough.signal.aborted) await ask().catch(() => failed++);
}

const clients = Array.from({ length: 4 }, client);
await service.ready;
for (let round = 1; round <= 2; round++) {
  await service.restart();
  console.log(`rolling restart ${round}: all replicas are new`);
}
enough.abort();
await Promise.all(clients);
console.log(`${answered} requests answered by ${seen.size} processes, ${failed} failed`);
await service.stop();
if (failed > 0) process.exitCode = 1;
