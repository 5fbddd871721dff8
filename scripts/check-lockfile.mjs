// Fails if a lockfile names a host: it must install from whatever registry npm
// is set up with. `--fix` removes what npm wrote there (addresses of
// downloads, funding and licences; npm does not put them back).
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const LOCKFILES = ["package-lock.json", "bench/peers/package-lock.json", "bench/plots/package-lock.json"];
const ADDRESS = /"resolved"|:\/\/|\bgit[+@]|\b(?:[a-z0-9-]+\.)+(?:com|dev|io|net|org)\b/;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function fix(file) {
  const lock = JSON.parse(readFileSync(file, "utf8"));
  for (const entry of Object.values(lock.packages)) {
    delete entry.resolved;
    delete entry.funding;
    // Some packages have a list of licences, each with its address.
    if (typeof entry.license === "object") delete entry.license;
  }
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}

/** The lines that should not be there. */
function check(file) {
  const text = readFileSync(file, "utf8");
  const found = text.split("\n").flatMap((line, i) => (ADDRESS.test(line) ? [`  ${i + 1}: ${line.trim()}`] : []));
  for (const [path, entry] of Object.entries(JSON.parse(text).packages)) {
    if (path !== "" && entry.integrity === undefined) found.push(`  ${path} has no "integrity"`);
  }
  return found;
}

for (const name of LOCKFILES) {
  const file = join(root, name);
  if (process.argv.includes("--fix")) {
    fix(file);
    continue;
  }
  const found = check(file);
  if (found.length === 0) continue;
  console.error(`${name} holds addresses, or packages without a checksum:\n${found.join("\n")}`);
  console.error("`node scripts/check-lockfile.mjs --fix` removes addresses");
  process.exitCode = 1;
}
