// A worker thread with a pool: runs a child, and says so. Then it waits to be terminated.
import { parentPort, workerData } from "node:worker_threads";
import { ProcessPool } from "../helpers/pool.ts";

const { nop, closes } = workerData as { nop: string; closes: boolean };
const pool = new ProcessPool({ threads: 1 });
await pool.run(nop, [], { stdio: "ignore" });
if (closes) await pool.close();
parentPort?.postMessage("ready");
parentPort?.once("message", () => {});
