// One worker of the fleet: takes jobs until it is told to stop. Some jobs kill it.
import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Spool } from "./spool.ts";

const IDLE_MS = 20;
/** sysexits.h: an internal error. */
const EX_SOFTWARE = 70;
/** Where the service waits for a newline. */
const READY_FD = 3;

const spool = new Spool(process.argv[2] ?? ".");
const worker = process.env["PIDPOOL_REPLICA"] ?? "0";

const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());

// A predecessor that left a job behind has died of it: not a second time.
spool.quarantine(worker);
writeSync(READY_FD, "\n");

while (!stop.signal.aborted) {
  const job = spool.take(worker);
  if (job === undefined) {
    await sleep(IDLE_MS);
    continue;
  }
  if (job.text === "poison") {
    console.error(`worker ${worker}: cannot digest ${job.name}`);
    process.exit(EX_SOFTWARE);
  }
  spool.finish(worker, job.name, createHash("sha256").update(job.text).digest("hex"));
}
