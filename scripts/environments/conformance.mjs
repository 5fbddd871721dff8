// Runs the checks of test/environments/conformance.ts under some runtime, each in a process of its own: one that hangs
// or crashes is that check's failure, and not to end by itself is one too.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../test-files.mjs";
import { attempt } from "./programs.mjs";
import { nothing } from "./tap.mjs";

const PROGRAM = join(root, "build/test/environments/conformance.js");
const NATIVE = join(root, "build/test/environments/native.js");
/** Milliseconds that a check may take. */
const TIMEOUT = 30_000;

/** Runs one check to its end; null where it passed, else what was wrong, or a string that begins with "skipped: ". */
function check([file, ...args], env, name) {
  const child = spawn(file, [...args, PROGRAM, name], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      resolve(stdout.includes("passed") ? "passed, but the runtime did not end" : "hung");
    }, TIMEOUT);
    // Not "close": a process that was left behind may hold the pipes.
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      const skipped = /^skipped: .*$/m.exec(stdout);
      if (code === 0 && skipped !== null) return resolve(skipped[0]);
      if (code === 0 && /^passed$/m.test(stdout)) return resolve(null);
      const said = stderr.split("\n").find((line) => /\w*Error\b/.test(line)) ?? stderr.trim().split("\n").at(-1);
      return resolve(`${signal ?? `exit code ${code}`}${said ? `: ${said.trim()}` : ""}`);
    });
  });
}

/** @param runtime `{ command, env }`: what is put before the program's path, and what is added to the environment */
export async function runConformance({ command, env = {} }) {
  const result = nothing();
  const all = { ...process.env, NO_COLOR: "1", ...env };
  const names = attempt(command[0], [...command.slice(1), PROGRAM], { cwd: root, env: all })
    .trim()
    .split("\n");
  for (const name of names) {
    const wrong = await check(command, all, name);
    if (wrong === null) {
      result.counts.pass++;
    } else if (wrong.startsWith("skipped: ")) {
      result.counts.skipped++;
      const reason = wrong.slice("skipped: ".length);
      result.skips.set(reason, (result.skips.get(reason) ?? 0) + 1);
    } else {
      result.counts.fail++;
      result.failures.push(`${name}: ${wrong}`);
    }
  }
  return result;
}

/** Only the native layer, as one check: for runtimes that a pool refuses. */
export function runNative({ command, env = {} }) {
  const result = nothing();
  const [file, ...args] = command;
  const all = { ...process.env, NO_COLOR: "1", ...env };
  const options = { cwd: root, env: all, encoding: "utf8", timeout: TIMEOUT };
  const { stdout, stderr, status, signal } = spawnSync(file, [...args, NATIVE], options);
  if (status === 0 && stdout === "passed\n") result.counts.pass++;
  else result.failures.push(`the native layer: ${signal ?? status}: ${stderr.trim().split("\n").at(-1)}`);
  return result;
}
