// `npm run example -- fleet`: workers that take jobs from a directory, are
// started again when a job kills them, grow in number, and are replaced one by
// one, as for a new version, while they work.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { explain, ProcessPool } from "pidpool";
import { Spool } from "./spool.ts";

const JOBS = 600;
const POISON_EVERY = 150;
const WORKER = fileURLToPath(new URL("worker.js", import.meta.url));
const LOOK_MS = 20;

const directory = mkdtempSync(join(tmpdir(), "pidpool-fleet-"));
const spool = new Spool(directory);
const jobs = Array.from({ length: JOBS }, (_, i) => `job-${String(i).padStart(4, "0")}`);

await using pool = new ProcessPool();
const fleet = pool.service({
  name: "fleet",
  file: process.execPath,
  args: [WORKER, directory],
  replicas: 2,
  ready: { fd: 3 },
  stderrTail: 1024,
  restart: { policy: "on-failure", backoff: { initial: 50 }, startLimit: { burst: 10 } },
});
fleet.on("exit", ({ report }, { index }) => {
  if (report !== null && report.reason !== "shutdown") console.log(`worker ${index} ${explain(report)}`);
});
fleet.on("restart", ({ delay }, { index }) => console.log(`worker ${index} starts again after ${delay.toFixed(0)} ms`));
fleet.on("failed", ({ message }) => console.log(message));

/** Until that many jobs are done or put aside. */
async function until(count: number): Promise<void> {
  while (spool.list("done").length + spool.list("failed").length < count) await sleep(LOOK_MS);
}

try {
  await fleet.ready;
  console.log(`${fleet.replicas.length} workers are ready`);
  for (const [i, name] of jobs.slice(0, JOBS / 2).entries()) spool.add(name, i % POISON_EVERY === 75 ? "poison" : name);
  await until(JOBS / 4);
  await fleet.scale(4);
  console.log(`${fleet.replicas.length} workers are ready`);
  const before = fleet.replicas.map(({ pid }) => pid);
  for (const [i, name] of jobs.slice(JOBS / 2).entries()) spool.add(name, i % POISON_EVERY === 75 ? "poison" : name);
  await fleet.restart();
  const replaced = fleet.replicas.filter(({ pid }) => !before.includes(pid)).length;
  console.log(`${replaced} of ${before.length} workers were replaced, one by one`);
  await until(JOBS);
  await fleet.stop();
  console.log(`${spool.list("done").length} jobs are done, ${spool.list("failed").length} were put aside`);
} finally {
  await fleet.stop();
  rmSync(directory, { recursive: true, force: true });
}
