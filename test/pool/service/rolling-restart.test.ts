// Rolling restarts of an HTTP server under load, with a standing socket: not one request fails.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ListenOptions, Service } from "pidpool";
import { tempDir } from "../../helpers/files.ts";
import { fixturePath } from "../../helpers/fixture.ts";
import { load, type LoadResult, type Target } from "../../helpers/http-load.ts";
import { ProcessPool } from "../../helpers/pool.ts";

const REQUESTS = 10_000;
const RESTARTS = 4;
const REPLICAS = 3;

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Load while the service is restarted again and again, until there were enough of both. */
async function underLoad(service: Service, target: Target, keepAlive: boolean): Promise<LoadResult> {
  let restarts = 0;
  const over = new AbortController();
  const restarting = (async () => {
    while (!over.signal.aborted) {
      await service.restart();
      restarts++;
    }
  })();
  const result = await load(target, 8, keepAlive, (sent) => sent >= REQUESTS && restarts >= RESTARTS);
  over.abort();
  await restarting;
  return result;
}

function serve(pool: ProcessPool, listen: readonly ListenOptions[]): Service {
  return pool.service({
    name: "http",
    file: process.execPath,
    args: [fixturePath("graceful-server")],
    replicas: REPLICAS,
    listen,
    ready: { fd: 4 },
    // Never by force: what an idle client keeps is ended by the server's keepAliveTimeout.
    stopTimeout: 60_000,
  });
}

function check(t: TestContext, { answers, errors }: LoadResult): void {
  t.diagnostic(`${total(answers)} requests answered by ${answers.size} processes`);
  assert.deepEqual([...errors], []);
  assert.ok(total(answers) >= REQUESTS);
  // Every generation has answered.
  assert.ok(answers.size > RESTARTS, `only ${answers.size} processes have answered`);
}

for (const keepAlive of [false, true]) {
  const how = keepAlive ? "with keep-alive" : "a connection for each";
  test(`${REQUESTS} requests over TCP, ${how}: not one is refused, reset or lost`, async (t) => {
    await using pool = new ProcessPool();
    const service = serve(pool, [{ port: 0, host: "127.0.0.1" }]);
    await service.ready;
    const [address] = service.addresses;
    assert.ok(address !== undefined && "port" in address);
    check(t, await underLoad(service, { host: "127.0.0.1", port: address.port }, keepAlive));
    assert.deepEqual(
      service.reports.filter(({ result }) => result !== "success"),
      [],
    );
    await service.stop();
  });
}

test(`${REQUESTS} requests over a unix socket`, async (t) => {
  const path = join(tempDir(t), "http.sock");
  await using pool = new ProcessPool();
  const service = serve(pool, [{ path }]);
  await service.ready;
  check(t, await underLoad(service, { socketPath: path }, false));
  await service.stop();
});
