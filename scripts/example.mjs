// `npm run example -- <name>`: runs a built example, with what follows as its
// arguments. Without a name, lists them.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "build/examples");
const names = readdirSync(folder).toSorted();
const [name, ...args] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run example -- ${names.join(" | ")}`);
  process.exit(1);
}
const main = join(folder, name, "main.js");
process.argv = [process.argv[0], main, ...args];
await import(pathToFileURL(main).href);
