// Runs the test suite, or parts of it, in an environment. What it prints is kept in .cache/environments/NAME.tap.
import { spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { root, testFiles } from "../test-files.mjs";
import { attempt } from "./programs.mjs";
import { addTap, nothing } from "./tap.mjs";

/** Milliseconds that a test file may take where each runs by itself. */
const FILE_TIMEOUT = 600_000;

/** Runs a command with its stdout in a file; answers what is wrong with its end, if something is. */
async function run([file, ...args], { cwd, env, output, timeout }) {
  const child = spawn(file, args, { cwd, env, stdio: ["ignore", output, "inherit"] });
  // unshare(1) passes its end on to what it started.
  const timer = timeout === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), timeout);
  const end = await new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code === 0 ? undefined : `ended with ${code ?? signal}`));
  });
  clearTimeout(timer);
  return end;
}

/**
 * @param environment `{ wrap, cwd, env, node }`; with `each`, every test file is the command that is wrapped, not the
 *   runner of all.
 */
export async function runSuite(name, { wrap, cwd, env, node, each = false }, parts) {
  const log = join(root, `.cache/environments/${name}.tap`);
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, "w");
  const settings = {
    cwd,
    output,
    env: { ...process.env, ...env, PATH: [dirname(node), process.env.PATH].join(delimiter) },
  };
  const result = nothing();
  if (each) {
    // Asked once, by a program in that place.
    const asked = spawnSync(wrap[0], [...wrap.slice(1), node, "scripts/isolation.mjs"], { cwd, encoding: "utf8" });
    Object.assign(settings.env, JSON.parse(asked.stdout).env);
    writeSync(output, `# isolation ${asked.stdout}`);
    for (const file of testFiles(parts)) {
      writeSync(output, `# file ${file}\n`);
      const command = [...wrap, node, "--enable-source-maps", "--test-reporter=tap", file];
      const end = await run(command, { ...settings, timeout: FILE_TIMEOUT });
      if (end !== undefined) result.failures.push(`${file} ${end}`);
    }
  } else {
    const end = await run([...wrap, node, "scripts/test.mjs", "--tap", ...parts], settings);
    if (end !== undefined) result.end = end;
  }
  closeSync(output);
  const text = readFileSync(log, "utf8");
  if (!addTap(result, text)) result.failures.push("no summary was printed");
  return { ...result, log };
}

/** What the doctor prints there; it ends with 1 where nothing can be launched. */
export function runDoctor({ wrap, cwd, env, node }) {
  const [file, ...args] = [...wrap, node, "dist/cli/main.js", "doctor"];
  return attempt(file, args, { cwd, env: { ...process.env, ...env } });
}
