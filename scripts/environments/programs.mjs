// Programs of this machine that environments are made with.
import { spawnSync } from "node:child_process";

/** Why an environment cannot be had here. */
export class Unavailable extends Error {}

/** Runs a program; what it has written, or why it failed. */
export function attempt(file, args, options = {}) {
  const { error, status, signal, stdout, stderr } = spawnSync(file, args, { encoding: "utf8", ...options });
  if (error?.code === "ENOENT") throw new Unavailable(`${file} is missing`);
  if (error !== undefined) throw new Unavailable(`${file} does not run: ${error.message}`);
  if (status !== 0) {
    const said = stderr.trim().split("\n").at(-1);
    throw new Unavailable(`${[file, ...args].join(" ")} ended with ${status ?? signal}${said && `: ${said}`}`);
  }
  return stdout;
}
