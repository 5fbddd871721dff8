// `npm run example -- warm`: the same JavaScript, run by a Node that waits and
// by one that is started for it.
import { ProcessPool } from "pidpool";

/** Runs what comes on stdin, as any interpreter would. Nobody trusts that: each piece has a process of its own. */
const RUNNER = `
  const source = require("node:fs").readFileSync(0, "utf8");
  console.log(require("node:vm").runInNewContext(source, {}));
`;
const PIECES = ["6 * 7", "[...'warm'].reverse().join('')", "2n ** 64n", "for (;;);"];

await using pool = new ProcessPool();
const command = pool.command(process.execPath, ["-e", RUNNER], { check: false, timeout: 2_000 });
const warm = command.warm({ spares: PIECES.length });
await warm.ready;
// They run, but Node takes a while until it reads; a server would have been up for longer.
await new Promise((resolve) => setTimeout(resolve, 1_000));

for (const source of PIECES) {
  for (const [kind, run] of [
    ["warm", () => warm.run({ input: source })],
    ["cold", () => command.run({ input: source })],
  ] as const) {
    const start = performance.now();
    const { stdout, exit, pid } = await run();
    const what = exit.reason === "exit" ? stdout.trim() : exit.reason;
    const ms = (performance.now() - start).toFixed(1);
    console.log(`${kind}  pid ${pid}  ${ms.padStart(7)} ms  ${source} → ${what}`);
  }
}
