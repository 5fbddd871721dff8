// Ten ways to die, and what the reports say of them:
//
//   npm run example -- ten-ways-to-die [NAME...]
//
// With --write, the reports go into docs/exit-reports.md, each to its mark; a
// way that this machine cannot go keeps what is there.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ProcessPool } from "pidpool";
import { shown } from "./shown.ts";
import { walk } from "./ways.ts";

const names = process.argv.slice(2).filter((arg) => arg !== "--write");
const write = process.argv.includes("--write");
const page = fileURLToPath(new URL("../../../docs/exit-reports.md", import.meta.url));

await using pool = new ProcessPool();
for await (const [{ name, title }, outcome] of walk(pool, new Set(names))) {
  if (outcome instanceof Error) {
    console.log(`### ${title}\n\nnot on this machine: ${outcome.message}\n`);
    continue;
  }
  console.log(`### ${title}\n\n${shown(outcome)}\n`);
  if (!write) continue;
  const [begin, end] = [`<!-- way:${name} -->`, "<!-- /way -->"];
  const text = readFileSync(page, "utf8");
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end, from);
  if (from < begin.length || to < 0) throw new Error(`docs/exit-reports.md has no mark ${begin}`);
  writeFileSync(page, `${text.slice(0, from)}\n\n${shown(outcome)}\n\n${text.slice(to)}`);
}
