// Fails if package-lock.json names a host: it must install from whatever
// registry npm is set up with. `--fix` removes what npm wrote there (download
// and funding addresses; npm does not put them back).
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const file = join(dirname(dirname(fileURLToPath(import.meta.url))), "package-lock.json");
const text = readFileSync(file, "utf8");
const lock = JSON.parse(text);

if (process.argv.includes("--fix")) {
  for (const entry of Object.values(lock.packages)) {
    delete entry.resolved;
    delete entry.funding;
  }
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  process.exit();
}

const ADDRESS = /"resolved"|:\/\/|\bgit[+@]|\b(?:[a-z0-9-]+\.)+(?:com|dev|io|net|org)\b/;
const found = text.split("\n").flatMap((line, i) => (ADDRESS.test(line) ? [`  ${i + 1}: ${line.trim()}`] : []));
const unproven = Object.entries(lock.packages).filter(([path, entry]) => path !== "" && entry.integrity === undefined);
for (const [path] of unproven) found.push(`  ${path} has no "integrity"`);
if (found.length > 0) {
  console.error(`package-lock.json holds addresses, or packages without a checksum:\n${found.join("\n")}`);
  console.error("`node scripts/check-lockfile.mjs --fix` removes addresses");
  process.exit(1);
}
