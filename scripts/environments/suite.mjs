// Runs the test suite, or parts of it, in an environment. What it prints is kept in .cache/environments/NAME.tap.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { root } from "../test-files.mjs";
import { attempt } from "./programs.mjs";
import { addTap, nothing } from "./tap.mjs";

/** Runs a command with its stdout in a file; answers what is wrong with its end, if something is. */
async function run([file, ...args], { cwd, env, output }) {
  const child = spawn(file, args, { cwd, env, stdio: ["ignore", output, "inherit"] });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code === 0 ? undefined : `ended with ${code ?? signal}`));
  });
}

/**
 * @param environment `{ wrap, cwd, env, node }`: what is put before the command, and where, with what and by whom it runs
 */
export async function runSuite(name, { wrap, cwd, env, node }, parts) {
  const log = join(root, `.cache/environments/${name}.tap`);
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, "w");
  const settings = {
    cwd,
    output,
    env: { ...process.env, ...env, PATH: [dirname(node), env.PATH ?? process.env.PATH].join(delimiter) },
  };
  const result = nothing();
  const end = await run([...wrap, node, "scripts/test.mjs", "--tap", ...parts], settings);
  if (end !== undefined) result.end = end;
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
