// Runs for long, or with much at once, and counts: `npm run soak`.
//
//   npm run soak                       1 000 000 lifecycles of all kinds on one pool
//   npm run soak -- 5000               so many
//   npm run soak -- 50000 --only aborted
//   npm run soak -- --live 20000       so many live children at once, three times
//   npm run soak -- --pools 20000      so many pools, one after another
//   npm run soak -- --workers 500      so many worker threads with a pool that are terminated, one after another
//
// Exits with 1 where a count is wrong or something has grown, and says what.
import { parseArgs } from "node:util";
import { soakLifecycles } from "./lifecycles.ts";
import { soakLive } from "./live.ts";
import { soakPools } from "./pools.ts";
import { compilePrograms } from "./programs.ts";
import { soakWorkers } from "./workers.ts";

const LIFECYCLES = 1_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string" },
    live: { type: "string" },
    pools: { type: "string" },
    workers: { type: "string" },
  },
});

function amount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`a number above 0 is wanted, not ${text}`);
  return count;
}

const { live, only, pools, workers } = values;
const programs = compilePrograms();
const faults: string[] = [];
if (live !== undefined) faults.push(...(await soakLive(amount(live), programs.children.hold)));
if (pools !== undefined) faults.push(...(await soakPools(amount(pools), programs.children.nop)));
if (workers !== undefined) faults.push(...(await soakWorkers(amount(workers), programs.children.nop)));
if (live === undefined && pools === undefined && workers === undefined)
  faults.push(...(await soakLifecycles(amount(positionals[0] ?? String(LIFECYCLES)), programs, only)));

for (const fault of faults) process.stdout.write(`wrong: ${fault}\n`);
if (faults.length > 0) process.exitCode = 1;
