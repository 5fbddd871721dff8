// `npm start`: a real job. Every file of a system directory is hashed by
// sha256sum and compressed by gzip, by pidpool and then by node:child_process.
import { availableParallelism } from "node:os";
import { selectFiles } from "./files.ts";
import { childProcessSide, pidpoolSide, type Side } from "./helpers.ts";
import { Progress } from "./progress.ts";
import { formatTable } from "./table.ts";
import { measure, type Measured } from "./work.ts";

// The pool's default. Of more processes than cores, the scheduler makes the main thread wait its turn too: that
// would show in the delays of both sides, and is not what is compared.
const concurrency = Math.max(2, availableParallelism());
const { directory, files, bytes } = selectFiles();
const mb = (count: number): string => `${(count / 1e6).toFixed(1)} MB`;

console.log(
  `${files.length} files of ${directory}, ${mb(bytes)}: sha256sum and gzip on each, ${concurrency} processes at a time`,
);

async function work(side: Side): Promise<Measured> {
  const progress = new Progress(side.name.padEnd("child_process".length), files.length);
  const measured = await measure(side, files, concurrency, progress.update);
  await side.close();
  return measured;
}

const ours = await work(pidpoolSide(concurrency));
const theirs = await work(childProcessSide());

console.log(`\n${formatTable(ours, theirs)}\n`);
console.log("blocks and delays: perf_hooks.monitorEventLoopDelay with a 1 ms timer, less that 1 ms");

const differing = files.filter(
  (file) => ours.sha256.get(file) !== theirs.sha256.get(file) || !/^[0-9a-f]{64}$/.test(ours.sha256.get(file) ?? ""),
);
if (differing.length > 0 || ours.digest !== theirs.digest) {
  console.error(
    `the two sides differ: ${differing.length} hashes, ${ours.compressedBytes} and ${theirs.compressedBytes} compressed bytes`,
  );
  process.exitCode = 1;
} else {
  console.log(`both sides agree: ${files.length} hashes, and ${mb(ours.compressedBytes)} of gzip output byte for byte`);
}
