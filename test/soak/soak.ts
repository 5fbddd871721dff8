// Many launches of trivial children: exactly as many reports, and fds,
// children and memory as before. `npm run soak -- 100000`; the suite runs 5 000.
import { childPids, openFds, rssMiB } from "../helpers/processes.ts";
import { ProcessPool } from "../helpers/pool.ts";

const LAUNCHES = Number(process.argv[2] ?? 100_000);
const IN_FLIGHT = 64;
/** Growth of the resident set that passes for noise of the allocators. */
const SLACK_MIB = 32;

const pool = new ProcessPool({ concurrency: IN_FLIGHT });
let reports = 0;
const pids = new Set<number>();
pool.on("exit", ({ status, pid }) => {
  if (status !== "exited") throw new Error(`pid ${pid}: ${status}`);
  reports++;
  pids.add(pid);
});

async function churn(launches: number): Promise<void> {
  let left = launches;
  const quiet = pool.command("true", [], { stdio: "ignore" });
  const loud = pool.command("echo", ["x".repeat(100)]);
  const client = async (): Promise<void> => {
    while (left > 0) {
      const n = left--;
      if (n % 4 !== 0) await quiet.run();
      else if ((await loud.run()).stdout.length !== 101) throw new Error("output was lost");
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
}

await churn(Math.ceil(LAUNCHES / 5));
reports = 0;
pids.clear();
const before = { fds: openFds(), rss: rssMiB() };
const started = performance.now();
await churn(LAUNCHES);
const seconds = (performance.now() - started) / 1000;
const after = { fds: openFds(), rss: rssMiB() };
const children = childPids();
await pool.close();

const lines = [
  `${LAUNCHES} launches, ${reports} reports in ${seconds.toFixed(1)} s (${Math.round(LAUNCHES / seconds)} a second)`,
  `fds ${before.fds.length} before, ${after.fds.length} after; ${children.length} children left`,
  `RSS ${before.rss.toFixed(0)} MiB before, ${after.rss.toFixed(0)} MiB after`,
];
process.stdout.write(`${lines.join("\n")}\n`);
const good =
  reports === LAUNCHES &&
  children.length === 0 &&
  after.fds.length <= before.fds.length &&
  after.rss < before.rss + SLACK_MIB;
if (!good) {
  process.stdout.write(`${after.fds.filter((fd) => !before.fds.includes(fd)).join("\n")}\n`);
  process.exitCode = 1;
}
